"""The commands: thin, one file each; they read options and call the library."""
