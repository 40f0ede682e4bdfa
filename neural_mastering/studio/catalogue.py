"""What a page may offer: styles, targets, words, formats, stages with their ranges, and the defaults."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

from neural_mastering.audio_io.file_format import FORMATS
from neural_mastering.audio_io.writer import BIT_CHOICES
from neural_mastering.controls.catalogue import CATALOGUE, StageSpec
from neural_mastering.controls.controls_file import BAND_GAIN_DB, LOWEST_HZ, MAX_BANDS, Q_RANGE
from neural_mastering.dsp.fade import FADE_CURVES
from neural_mastering.dsp.rbj import KINDS
from neural_mastering.rendering.delivery.density import DENSITIES
from neural_mastering.rendering.delivery.targets import LOUDEST_LUFS, QUIETEST_LUFS, known_targets
from neural_mastering.rendering.edits import BASS_MONO_HZ
from neural_mastering.rendering.options import stage_names
from neural_mastering.rendering.outputs.export import FORMATS as PRESETS
from neural_mastering.rendering.settings import Settings
from neural_mastering.studio.stage_templates import stage_templates
from neural_mastering.styles.intensity import INTENSITIES_DB
from neural_mastering.styles.library import bundled_styles, find_style
from neural_mastering.styles.profile import AUTO
from neural_mastering.words.presets import compressor_presets
from neural_mastering.words.request import DEFAULT_STRENGTH
from neural_mastering.words.table import word_table


@cache
def catalogue() -> dict[str, Any]:
    """All of it, as plain data."""
    return {
        "styles": _styles(),
        "models": list(model_names()),
        "targets": _targets(),
        "target_range_lufs": [QUIETEST_LUFS, LOUDEST_LUFS],
        "words": _words(),
        "word_strength": DEFAULT_STRENGTH,
        "formats": [_format(name) for name in FORMATS],
        "bits": list(BIT_CHOICES),
        "presets": list(PRESETS),
        "intensities": INTENSITIES_DB,
        "densities": DENSITIES,
        "strengths": list(stage_names()),
        "fade_curves": list(FADE_CURVES),
        "bass_mono_range_hz": list(BASS_MONO_HZ),
        "stages": [_stage(spec) for spec in CATALOGUE],
        "eq": {
            "kinds": list(KINDS),
            "most_bands": MAX_BANDS,
            "ranges": {
                "frequency_hz": [LOWEST_HZ, 20_000.0],
                "gain_db": [-BAND_GAIN_DB, BAND_GAIN_DB],
                "q": list(Q_RANGE),
            },
        },
        "defaults": asdict(Settings()),
    }


@cache
def model_names() -> tuple[str, ...]:
    """The bundled models, without loading them, and "none"."""
    folder = files("neural_mastering.assets.models")
    found = sorted(
        item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")
    )
    return (*found, "none")


def style_names() -> tuple[str, ...]:
    """The bundled styles, and "auto"."""
    return (AUTO, *bundled_styles())


def _styles() -> list[dict[str, Any]]:
    found = [
        {"name": AUTO, "title": "songs like this", "songs": 0, "about": "what the song itself says it is"}
    ]
    for name in bundled_styles():
        profile = find_style(name)
        title = name.replace("-", " ")
        found.append({"name": name, "title": title, "songs": profile.songs, "about": profile.about})
    return found


def _targets() -> list[dict[str, Any]]:
    return [
        {
            "name": target.name,
            "lufs": target.lufs,
            "ceiling_db": target.ceiling_db,
            "about": target.note,
            "kind": target.kind,
            "source": target.source,
        }
        for target in known_targets().values()
    ]


def _words() -> list[dict[str, Any]]:
    table = word_table()
    words = [
        {
            "word": word.name,
            "about": f"{word.tier} evidence: agreement {word.evidence.agreement:.2f} over {word.evidence.n} "
            f"contributions ({table.sources[word.evidence.source].title})",
            "low": -1.0,
            "high": 1.0,
        }
        for word in table.words.values()
    ]
    presets = [
        {"word": name, "about": preset.about, "low": 0.0, "high": 1.0}
        for name, preset in compressor_presets().items()
        if name not in table.words
    ]
    return [*words, *presets]


def _format(name: str) -> dict[str, Any]:
    form = FORMATS[name]
    return {
        "name": name,
        "title": form.title,
        "suffix": form.suffix,
        "lossy": form.is_lossy,
        "kbps": None if form.bit_rates is None else asdict(form.bit_rates),
        "needs_ffmpeg": form.encoder == "ffmpeg",
    }


def _stage(spec: StageSpec) -> dict[str, Any]:
    own = stage_templates()[spec.name]
    return {
        "name": spec.name,
        "title": spec.title,
        "effect": spec.effect,
        "amount": spec.amount,
        "template": own["values"],
        "controls": [
            {"key": key, "title": text.title, "unit": text.unit, "digits": text.digits, "note": text.note}
            | own["ranges"].get(key, {})
            | {"neutral": spec.neutral.get(key)}
            for key, text in spec.controls.items()
            if key in own["values"]
        ],
    }
