"""Eight freely licensed music excerpts; see CREDITS.md."""
