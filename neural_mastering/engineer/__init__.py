"""A mastering engineer, learned from pairs: features of a mix, the move that follows, and its file; no torch."""
