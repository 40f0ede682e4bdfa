"""What is raised when music on disk cannot be used."""

from neural_mastering.errors import InputError


class DataError(InputError):
    """A data folder or a file in it cannot be used; the message names it and says what to do."""
