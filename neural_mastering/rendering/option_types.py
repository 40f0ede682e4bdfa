"""What the fields of `Options` may hold: the forms that are meant the same become one, others are refused."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path

from neural_mastering.errors import InputError


def with_types(given: Mapping[str, object], records: Mapping[str, type]) -> dict[str, object]:
    """The fields with their types: numbers of LUFS or bits as text, paths as `Path`, lists as tuples.

    Args:
        given: values by field.
        records: fields that hold a record, with its class.

    Raises:
        InputError: a field of another type, with what was expected.
    """
    found = {name: _READERS[name](name, value) for name, value in given.items() if name in _READERS}
    for name, kind in records.items():
        if not (isinstance(given[name], kind) or (given[name] is None and name in _MAY_BE_NONE)):
            raise _mistake(name, f"a {kind.__name__}", given[name])
    return found


def number(name: str, value: object) -> object:
    """A number as it is."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _mistake(name, "a number", value)
    return value


def text(name: str, value: object) -> object:
    """Text or None as it is; a number as text."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"{value}"
    if value is not None and not isinstance(value, str):
        raise _mistake(name, "text", value)
    return value


def path(name: str, value: object) -> object:
    """A path, or None."""
    if value is not None and not isinstance(value, str | Path):
        raise _mistake(name, "the path of a file", value)
    return None if value is None else Path(value)


def names(name: str, value: object) -> object:
    """A tuple of names; one text alone would be read letter by letter."""
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(v, str) for v in value)
    ):
        raise _mistake(name, "a list of names", value)
    return tuple(value)


def file_names(name: str, value: object) -> list[str]:
    """A list of files as texts."""
    if isinstance(value, str | Path) or not isinstance(value, Sequence):
        raise _mistake(name, "a list of files", value)
    if not all(isinstance(file, str | Path) for file in value):
        raise _mistake(name, "a list of files", value)
    return [str(file) for file in value]


def strengths(name: str, value: object) -> object:
    """Numbers by name."""
    if not isinstance(value, Mapping):
        raise _mistake(name, 'strengths by name, such as {"warm": 0.5}', value)
    for key, strength in value.items():
        number(f"{name}[{key!r}]", strength)
    return value


def weighted_files(name: str, value: object) -> object:
    """Pairs of a path and a weight."""
    expected = "pairs of a file and a weight, such as ((Path('a.wav'), 1.0),)"
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise _mistake(name, expected, value)
    pairs: list[tuple[Path, object]] = []
    for pair in value:
        if (
            isinstance(pair, str)
            or not isinstance(pair, Sequence)
            or len(pair) != 2
            or not isinstance(pair[0], str | Path)
        ):
            raise _mistake(name, expected, value)
        pairs.append((Path(pair[0]), number(f"{name}: the weight of {pair[0]}", pair[1])))
    return tuple(pairs)


def _mistake(name: str, expected: str, value: object) -> InputError:
    shown = repr(value)
    return InputError(f"{name}: expected {expected}; got {shown if len(shown) <= 80 else shown[:79] + '…'}")


_MAY_BE_NONE = ("match", "plr")

_READERS: dict[str, Callable[[str, object], object]] = {
    **dict.fromkeys(("target", "model", "style", "bits", "preset_name"), text),
    **dict.fromkeys(("controls", "report", "json", "save_controls"), path),
    **dict.fromkeys(("intensity_db", "overall_strength", "max_reduction_db", "density"), number),
    **dict.fromkeys(("skip", "only", "export"), names),
    **dict.fromkeys(("words", "strength"), strengths),
    "references": weighted_files,
}
