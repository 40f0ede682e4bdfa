"""How far the model may be followed."""
