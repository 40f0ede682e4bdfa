"""Whether words change the sound as they say."""
