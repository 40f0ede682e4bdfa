"""What a song measures, read once as a stream: loudness, peaks, spectrum, notes, movement and width."""
