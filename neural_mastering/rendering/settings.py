"""What a person asks of a master, as plain data: the one list that nm-master's options and the HTTP API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery.deliverables import parse_deliverables
from neural_mastering.rendering.delivery.density import DEFAULT_DENSITY, parse_density
from neural_mastering.rendering.delivery.plr import parse_plr
from neural_mastering.rendering.edits import SongEdits, parse_fade
from neural_mastering.rendering.options import DELIVERY, MAX_REDUCTION_DB, Options
from neural_mastering.rendering.reference.shares import MatchShares
from neural_mastering.styles.intensity import DEFAULT_INTENSITY, parse_intensity

_TONE = (
    "style",
    "references",
    "match",
    "words",
    "intensity",
    "strength",
    "overall_strength",
    "skip",
    "only",
    "model",
)
"""Fields that decide what the chain does; the others are about the delivery."""

References = tuple[tuple[Path, float], ...]
"""Files with their weights."""


@dataclass(frozen=True)
class Settings:
    """How one song is to be mastered, in words, numbers and lists: what fits into a command line or JSON.

    `options` checks them and gives what the renderer takes. Files that are written stand outside: a command line
    names them, a server chooses them.

    Attributes:
        style: name of a style, a file, or "auto".
        references: songs whose sound is matched, as NAME or NAME=WEIGHT.
        match: how far they are followed, 0 to 1, by respect: tone, width, dynamics, loudness.
        words: strengths −1 to 1 by word.
        intensity: "gentle", "balanced", "strong", or a number of dB.
        target: a destination, a number of LUFS, or "keep"; None is "spotify", or what references suggest.
        ceiling: dBTP, or "off"; None is the target's own.
        density: "gentle", "balanced", "dense", or 0 to 1.
        max_reduction_db: the most that the limiter may take off.
        plr: dB above the loudness that true peaks are brought down to, or text such as "9:0.6" for a part of the
            way; "off" leaves them below the ceiling, None is what references ask for.
        strength: 0 to 1 by stage.
        overall_strength: of the stages that `strength` does not name.
        skip, only: names of stages.
        model: a bundled model, a run folder, a checkpoint, or "none".
        bits: "16", "24", "32f"; None for as many as the source, but at least 24.
        format: of the master, such as "flac" or "mp3:320"; None for that of its name.
        also, codec_check, codec_safe: further formats, and lossy ones that are measured or whose peaks are kept.
        replaygain: write loudness tags.
        sample_rate_hz: of the master; None for that of the song.
        trim: cut silence and clicks off both ends.
        fade_in, fade_out: seconds, or text such as "8:linear"; None for no fade.
        bass_mono_hz: the side is high-passed here; None leaves it.
        dual_mono: a mono song is meant for two loudspeakers.
        lower_only: a song is never made louder.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    style: str | None = None
    references: tuple[str, ...] = ()
    match: Mapping[str, float] | None = None
    words: Mapping[str, float] = field(default_factory=dict)
    intensity: str | float = DEFAULT_INTENSITY
    target: str | float | None = None
    ceiling: str | float | None = None
    density: str | float = DEFAULT_DENSITY
    max_reduction_db: float = MAX_REDUCTION_DB
    plr: str | float | None = None
    strength: Mapping[str, float] = field(default_factory=dict)
    overall_strength: float = 1.0
    skip: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    model: str | None = None
    bits: str | None = None
    format: str | None = None
    also: tuple[str, ...] = ()
    codec_check: tuple[str, ...] = ()
    codec_safe: tuple[str, ...] = ()
    replaygain: bool = False
    sample_rate_hz: int | None = None
    trim: bool = False
    fade_in: str | float | None = None
    fade_out: str | float | None = None
    bass_mono_hz: float | None = None
    dual_mono: bool = False
    lower_only: bool = False

    def with_tone_of(self, song: Settings) -> Settings:
        """These settings for one song of several: where they say nothing about the chain, the song's own hold.

        The stages of the delivery are as these settings have them, for all songs.
        """
        default = Settings()
        own = {name: getattr(song, name) for name in _TONE if getattr(self, name) == getattr(default, name)}
        both, delivery = replace(self, **own), self.at_full_strength()
        chain = {name: share for name, share in both.strength.items() if name not in DELIVERY}
        skipped = [name for name in both.skip if name not in DELIVERY]
        return replace(
            both,
            strength={**chain, **delivery.strength},
            skip=(*skipped, *delivery.skip),
            only=tuple(dict.fromkeys((*both.only, *DELIVERY))) if both.only else (),
        )

    def at_full_strength(self) -> Settings:
        """These settings with every stage of the chain as it is decided: what the delivery leaves out stays out.

        Strengths are applied when a song is rendered, so that they weaken what was edited by hand, too.
        """
        silent = [name for name in DELIVERY if name in self.skip or (self.only and name not in self.only)]
        kept = {name: self.strength[name] for name in DELIVERY if name in self.strength}
        return replace(self, strength=kept, overall_strength=1.0, skip=tuple(silent), only=())

    def options(
        self,
        references: References = (),
        *,
        controls: Path | None = None,
        overwrite: bool = False,
        report: Path | None = None,
        json: Path | None = None,
        save_controls: Path | None = None,
        export: tuple[str, ...] = (),
    ) -> Options:
        """What the renderer takes, checked.

        Args:
            references: what `references` means, as files.
            controls: a file of controls to render.
            overwrite, report, json, save_controls, export: files beside the master, as in `Options`.

        Raises:
            InputError: anything that can't be used; the message names nm-master's option.
        """
        return Options(
            target=None if self.target is None else str(self.target),
            ceiling=self.ceiling,
            model=self.model,
            controls=controls,
            style=self.style,
            intensity_db=parse_intensity(self.intensity),
            references=references,
            match=_match(self.match),
            words=self.words,
            strength=self.strength,
            overall_strength=self.overall_strength,
            skip=self.skip,
            only=self.only,
            max_reduction_db=self.max_reduction_db,
            density=parse_density(self.density),
            plr=parse_plr(self.plr),
            bits=self.bits,
            deliverables=parse_deliverables(
                self.format,
                self.also,
                self.codec_check,
                self.codec_safe,
                self.replaygain,
                self.sample_rate_hz,
            ),
            edits=SongEdits(
                trim=self.trim,
                fade_in=parse_fade(self.fade_in, "--fade-in"),
                fade_out=parse_fade(self.fade_out, "--fade-out"),
                bass_mono_hz=self.bass_mono_hz,
            ),
            dual_mono=self.dual_mono,
            lower_only=self.lower_only,
            overwrite=overwrite,
            report=report,
            json=json,
            save_controls=save_controls,
            export=export,
        )


def _match(shares: Mapping[str, float] | None) -> MatchShares | None:
    if shares is None:
        return None
    try:
        return MatchShares(**shares)
    except TypeError:
        known = ", ".join(MatchShares.__dataclass_fields__)
        raise InputError(f"--match {', '.join(shares)}: expected some of {known}") from None


def settings_of(tree: Mapping[str, object]) -> Settings:
    """Settings from plain data, such as JSON; lists become tuples.

    Raises:
        InputError: a name that is no setting.
    """
    known = Settings.__dataclass_fields__
    for name in tree:
        if name not in known:
            raise InputError(f"unknown setting '{name}': expected {', '.join(known)}")
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in tree.items()}
    return Settings(**plain)  # pyright: ignore[reportArgumentType]  # `options` checks the values
