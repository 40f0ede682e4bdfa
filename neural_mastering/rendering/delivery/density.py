"""How much of a song's dynamics may be given up for loudness."""

from neural_mastering.errors import InputError

DENSITIES = {"gentle": 0.0, "balanced": 0.5, "dense": 1.0}
DEFAULT_DENSITY = "balanced"


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
