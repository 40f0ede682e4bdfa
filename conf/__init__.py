"""Configuration: the YAML tree that ships with the package as `neural_mastering.conf`."""
