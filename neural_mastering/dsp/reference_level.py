"""The level at which a chain's stages see a song."""

REFERENCE_DBFS = -18.0
"""Loudness in LUFS to which a song is brought before a stage that depends on level, and from which it is taken
back; a threshold of 0 dB stands there by default."""
