"""What is written beside the master: numbers, controls, presets for other software, the report page."""
