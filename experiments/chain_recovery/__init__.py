"""Whether a gradient finds the planted settings of each stage."""
