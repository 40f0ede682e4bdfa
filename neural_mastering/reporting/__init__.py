"""Tables, plots and pages from numbers and arrays; knows no model."""
