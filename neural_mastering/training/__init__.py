"""Training with Lightning: the task around a built model, and its callbacks."""
