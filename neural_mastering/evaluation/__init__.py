"""Systems over held-out songs: rendered, measured, compared, and taken apart."""
