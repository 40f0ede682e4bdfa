"""Which songs are used, on what terms, and the excerpts that are evaluated."""
