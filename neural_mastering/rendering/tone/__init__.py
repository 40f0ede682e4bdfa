"""Where a song's controls come from: a model, references, words, a file, or nowhere."""
