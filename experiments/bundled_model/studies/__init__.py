"""Searches, learning curves and comparisons behind the choices of the recipe."""
