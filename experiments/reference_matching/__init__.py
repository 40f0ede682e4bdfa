"""Whether a reference that fits helps, and whether another song does harm."""
