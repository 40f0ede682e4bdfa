"""Measurements of a pair of files: how its sides lie to each other, and what is wrong with either."""
