"""Whether the adaptive head finds exactly the planted bands."""
