"""Models that need no torch: plain numbers, a list of operations, and a runner in numpy."""
