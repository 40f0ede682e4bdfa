"""Music mastering with interpretable DSP and deep learning."""

from importlib.metadata import PackageNotFoundError, version

from neural_mastering.compile_cache import choose_compile_cache

try:
    __version__ = version("neural-mastering")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

choose_compile_cache()
