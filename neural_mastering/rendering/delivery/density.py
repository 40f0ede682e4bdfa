"""How much of a song's dynamics may be given up for loudness."""

import math

from neural_mastering.errors import InputError

DENSITIES = {"gentle": 0.0, "balanced": 0.5, "dense": 1.0}
DEFAULT_DENSITY = "balanced"

_LEAST_LOSS_LU = 0.5
_TIMES = 16.0  # from density 0 to just below 1
_CAUTION = 1.05  # what a target takes is measured with the settings found for less, which clip less, too


def parse_density(value: str | float) -> float:
    """A density by name, or a number from 0 to 1.

    Raises:
        InputError: neither.
    """
    if isinstance(value, str) and value.strip().lower() in DENSITIES:
        return DENSITIES[value.strip().lower()]
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise InputError(f"--density {value}: expected {', '.join(DENSITIES)}, or a number from 0 to 1")
    return number


def most_loss_lu(density: float) -> float:
    """By how many LU clipper and limiter may lower the loudness: 0.5·16^density, and no bound at 1.

    >>> most_loss_lu(0.0), most_loss_lu(0.5), most_loss_lu(1.0)
    (0.5, 2.0, inf)
    """
    return math.inf if density >= 1.0 else _LEAST_LOSS_LU * _TIMES**density


def density_for(loss_lu: float) -> float:
    """The least density, in steps of 0.05, that allows a loss of loudness.

    >>> density_for(0.3), density_for(2.1), density_for(20.0)
    (0.0, 0.55, 1.0)
    """
    if loss_lu <= _LEAST_LOSS_LU:
        return 0.0
    steps = math.ceil(20.0 * math.log(loss_lu / _LEAST_LOSS_LU, _TIMES) - 1e-9)
    return min(steps / 20.0, 1.0)


def needed_density(loss_lu: float) -> float:
    """The density, in steps of 0.05, that reaches a target that takes about so much off the loudness.

    >>> needed_density(0.3), needed_density(2.0), needed_density(8.0)
    (0.0, 0.55, 1.0)
    """
    return density_for(_CAUTION * loss_lu)
