"""Audio in and out as blocks: readers, writers, tags, a buffer on disk, blocks fetched ahead in a thread."""
