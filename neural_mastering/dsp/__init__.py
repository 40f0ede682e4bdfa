"""Signal processing as pure functions of tensors and arrays, in physical units."""
