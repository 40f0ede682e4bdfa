"""Planted engineers over real music, and how well each system learns them."""
