"""The command line of a study."""

import argparse


def parser_of(documentation: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the docstring of the module, line by line."""
    return argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter
    )
