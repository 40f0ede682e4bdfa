"""What studies of the normal tone share: songs as numbers, predictions of their spectra, and what follows."""
