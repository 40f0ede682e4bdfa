"""Comparing a song with reference songs, and what follows from it."""
