"""The bundle, its held-out results, its card and the README's pictures."""
