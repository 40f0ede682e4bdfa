"""What encoders do to the peaks of a master, and what it costs to keep the ceiling after them."""
