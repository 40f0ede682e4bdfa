"""Styles that ship with the package; experiments/styles says how each was made."""
