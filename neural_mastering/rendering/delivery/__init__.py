"""Loudness and ceiling: targets, and the loop that reaches them."""
