"""The base of every error that is the user's to mend."""


class InputError(ValueError):
    """Bad input: the message says what was expected, what came, and what to do.

    Command lines print the message without a traceback and exit with a code other than 0.
    """
