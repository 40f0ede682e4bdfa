"""Many songs: a manifest in, masters and one table of results out, on one machine or many, with a memory."""
