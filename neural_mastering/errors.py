"""The base of every error that is the user's to mend."""


class InputError(ValueError):
    """Bad input: the message says what was expected, what came, and what to do.

    Command lines print the message without a traceback and exit with a code other than 0.
    """


class UnwritableError(InputError):
    """An output can't be written: the place is at fault, not what goes there.

    Attributes:
        is_full: no space is left.
    """

    def __init__(self, message: str, is_full: bool = False) -> None:
        super().__init__(message)
        self.is_full = is_full
