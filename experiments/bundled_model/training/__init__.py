"""Pretraining on simulated features, further training on audio, folds."""
