"""Styles: what finished songs of a kind measure, learned from folders, compared with songs, and followed."""
