"""Names of the files in a song's folder."""

SUMMARY = "summary.json"
"""What the song measures, as the API answers it."""

SPECTRUM = "spectrum.json"
WAVEFORM = "waveform.bin"
DECODED = "decoded.wav"
"""Of a source that is expensive or inexact to seek in: its samples as 32-bit float."""

DECISIONS = "decisions"
"""A folder: what was decided, by the settings that led to it."""
