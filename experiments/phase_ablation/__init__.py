"""Whether the phases 1A, 1B and 1C build on one another."""
