"""The recipe of the bundled model, from a folder of music to the bundle and its held-out table."""
