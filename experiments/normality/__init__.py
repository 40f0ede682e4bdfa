"""What is normal for a song like this: how much of a finished song's spectrum its content tells."""
