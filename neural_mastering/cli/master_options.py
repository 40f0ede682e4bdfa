"""What was typed at nm-master or nm-batch as the options of a master."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neural_mastering.rendering.options import Options
    from neural_mastering.rendering.settings import Settings

_PARSED = ("reference", "match", "word", "strength")
_LISTS = ("skip", "only", "also", "codec_check", "codec_safe")
_AS_TYPED = (
    "target",
    "ceiling",
    "model",
    "style",
    "intensity",
    "density",
    "bits",
    "replaygain",
    "dual_mono",
    "lower_only",
    "trim",
    "fade_in",
    "fade_out",
    "plr",
)
_SETTINGS = {
    "max_reduction": "max_reduction_db",
    "form": "format",
    "sample_rate": "sample_rate_hz",
    "bass_mono": "bass_mono_hz",
}
"""Options whose setting has another name."""


def typed_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that decide how a song sounds and is delivered, as `master_options` takes them.

    Args:
        given: what was typed, by the names of a command's parameters; others among them are left out.
    """
    return {
        **{name: given[name] or [] for name in _PARSED},
        **{name: names(given[name]) for name in _LISTS},
        **{name: given[name] for name in _AS_TYPED},
        **{setting: given[name] for name, setting in _SETTINGS.items()},
    }


def master_options(
    reference: list[str],
    match: list[str],
    word: list[str],
    strength: list[str],
    **others: Any,
) -> "Options":
    """The options of a master from what was typed.

    Args:
        reference, match, word, strength: texts with a = in them.
        others: what `Settings` and `Settings.options` take as it is.

    Raises:
        InputError: something that can't be understood.
    """
    # --help stays quick: loads NumPy and numba
    from neural_mastering.rendering.options import parse_references

    settings = master_settings(reference, match, word, strength, **others)
    files = {name: value for name, value in others.items() if name not in type(settings).__dataclass_fields__}
    return settings.options(parse_references(reference), **files)


def master_settings(
    reference: list[str], match: list[str], word: list[str], strength: list[str], **others: Any
) -> "Settings":
    """The settings among what was typed, as in `master_options`.

    Raises:
        InputError: something that can't be understood.
    """
    # --help stays quick: loads NumPy and numba
    from neural_mastering.rendering.options import parse_strengths
    from neural_mastering.rendering.reference.shares import parse_match
    from neural_mastering.rendering.settings import Settings

    overall, by_stage = parse_strengths(strength)
    shares = parse_match(match)
    words: dict[str, float] = {}
    if word:
        from neural_mastering.words import parse_words  # --help stays quick: loads NumPy and numba

        words = parse_words(word)
    return Settings(
        references=tuple(reference),
        match=None if shares is None else asdict(shares),
        words=words,
        strength=by_stage,
        overall_strength=overall,
        **{name: value for name, value in others.items() if name in Settings.__dataclass_fields__},
    )


def names(values: list[str] | None) -> tuple[str, ...]:
    """("a,b", "c") → ("a", "b", "c"), in lower case."""
    parts = [part.strip().lower() for value in values or [] for part in value.split(",")]
    return tuple(part for part in parts if part)
