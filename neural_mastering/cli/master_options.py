"""What was typed at nm-master as the options of a master."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neural_mastering.rendering.options import Options


def master_options(
    reference: list[str],
    match: list[str],
    word: list[str],
    strength: list[str],
    intensity: str,
    form: str | None,
    also: tuple[str, ...],
    codec_check: tuple[str, ...],
    codec_safe: tuple[str, ...],
    replaygain: bool,
    sample_rate_hz: int | None,
    density: str,
    **others: Any,
) -> "Options":
    """The options of a master from what was typed.

    Raises:
        InputError: something that can't be understood.
    """
    # --help stays quick: loads NumPy and numba
    from neural_mastering.rendering.delivery.deliverables import parse_deliverables
    from neural_mastering.rendering.delivery.density import parse_density
    from neural_mastering.rendering.options import Options, parse_references, parse_strengths
    from neural_mastering.rendering.reference.shares import parse_match  # likewise
    from neural_mastering.styles.intensity import parse_intensity

    overall, by_stage = parse_strengths(strength)
    if word:
        from neural_mastering.words import parse_words  # --help stays quick: loads NumPy and numba

        others["words"] = parse_words(word)
    return Options(
        overall_strength=overall,
        strength=by_stage,
        intensity_db=parse_intensity(intensity),
        density=parse_density(density),
        references=parse_references(reference),
        match=parse_match(match),
        deliverables=parse_deliverables(form, also, codec_check, codec_safe, replaygain, sample_rate_hz),
        **others,
    )


def names(values: list[str] | None) -> tuple[str, ...]:
    """("a,b", "c") → ("a", "b", "c"), in lower case."""
    parts = [part.strip().lower() for value in values or [] for part in value.split(",")]
    return tuple(part for part in parts if part)
