"""How the demo songs were made, and what a system that listens can win on them."""
