"""From YAML to objects; with cli/, the only place that knows Hydra."""
