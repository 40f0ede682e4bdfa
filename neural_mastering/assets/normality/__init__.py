"""The learned sense of what is normal that ships with the package."""
