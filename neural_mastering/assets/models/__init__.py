"""Models that ship with the package: NAME.safetensors and NAME.json (`neural_mastering.models.bundle`)."""
