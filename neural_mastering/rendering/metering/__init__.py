"""What a stream measures: loudness, peaks, width, and how loud a limiter would leave it."""
