"""What a user may ask of a master, checked before any audio is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from neural_mastering.controls import ChainControls
from neural_mastering.controls.catalogue import STAGE_NAMES
from neural_mastering.dsp.limiter import DRIVEN, LimiterSettings
from neural_mastering.errors import InputError
from neural_mastering.rendering.delivery.deliverables import Deliverables
from neural_mastering.rendering.delivery.density import (
    DEFAULT_DENSITY,
    DENSITIES,
    most_loss_lu,
    parse_density,
)
from neural_mastering.rendering.delivery.plr import PlrTarget
from neural_mastering.rendering.delivery.spec import MOST_REDUCTION_DB, DeliverySpec
from neural_mastering.rendering.delivery.targets import (
    DEFAULT_TARGET,
    Target,
    find_target,
    with_ceiling,
)
from neural_mastering.rendering.edits import STEREO, SongEdits
from neural_mastering.rendering.option_types import with_types
from neural_mastering.rendering.reference.shares import MatchShares
from neural_mastering.styles.intensity import DEFAULT_INTENSITY, INTENSITIES_DB, parse_intensity

LIMITER = "limiter"
PEAK_CONTROL = "peak_control"
DC_REMOVAL = "dc_removal"
MOST_CLIPPED_DB = 6.0
MAX_REDUCTION_DB = 6.0
DELIVERY = (DC_REMOVAL, PEAK_CONTROL, LIMITER)
"""Stages around the chain, which have no controls in a file of controls."""


_RECORDS: dict[str, type] = {
    "match": MatchShares,
    "limiter": LimiterSettings,
    "plr": PlrTarget,
    "deliverables": Deliverables,
    "edits": SongEdits,
}


@dataclass(frozen=True)
class Options:
    """How to master.

    Attributes:
        target: name, number of LUFS, or "keep"; None takes "spotify", or the references' loudness where there are
            some.
        ceiling: dBTP or "off" instead of the target's own; None keeps that.
        model: name of a bundled model, a run folder or a checkpoint; "none" leaves the tone alone, None takes the
            bundled model unless controls or references set the tone.
        controls: a chain to render instead of a model's.
        style: name of a style, a file, or "auto"; None takes "auto" unless a model, controls or references set the
            tone.
        intensity_db: how far from normal the mix may be by mistake, root mean square in dB; 0 moves nothing.
        references: (file, weight) of songs whose sound is matched.
        match: how far they are followed; None follows other songs by 0.6 and a version of the song itself exactly.
        words: strengths −1 to 1 by word, see `neural_mastering.words`.
        strength: of each stage by name, 0 to 1; stages not named have `overall_strength`.
        overall_strength: of the chain; the limiter, which is the safety stage, has its own entry only.
        skip, only: stage names.
        max_reduction_db: the most that the limiter may take off.
        limiter: its settings; the default ones are left for better ones where a song is driven hard.
        density: 0 to 1, how much of the dynamics may be given up for loudness: clipper and limiter may lower the
            loudness by `density.most_loss_lu`, and short peaks are cut by up to 6 dB times this.
        plr: how far above the loudness peaks are kept; None is what references ask for.
        bits: "16", "24", "32f", None for as many as the source but at least 24.
        deliverables: further files, checks after encoders, loudness tags, sample rate.
        edits: of its ends and its bass; none by default.
        dual_mono: a mono song is meant for two loudspeakers, which play it 3 LU louder than it measures.
        lower_only: a song that is quieter than its target stays so.
        overwrite: replace existing files.
        report: folder for the report, None for none.
        json, save_controls: files to write, None for none.
        export: formats for other software.
        preset_name: of their files, without an ending; None takes that of the master.
    """

    target: str | float | None = None
    ceiling: str | float | None = None
    model: str | None = None
    controls: Path | None = None
    style: str | None = None
    intensity_db: float = INTENSITIES_DB[DEFAULT_INTENSITY]
    references: tuple[tuple[Path, float], ...] = ()
    match: MatchShares | None = None
    words: Mapping[str, float] = field(default_factory=dict)
    strength: Mapping[str, float] = field(default_factory=dict)
    overall_strength: float = 1.0
    skip: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    max_reduction_db: float = MAX_REDUCTION_DB
    limiter: LimiterSettings = field(default_factory=LimiterSettings)
    density: float = DENSITIES[DEFAULT_DENSITY]
    plr: PlrTarget | None = None
    bits: str | None = None
    deliverables: Deliverables = field(default_factory=Deliverables)
    edits: SongEdits = field(default_factory=SongEdits)
    dual_mono: bool = False
    lower_only: bool = False
    overwrite: bool = False
    report: Path | None = None
    json: Path | None = None
    save_controls: Path | None = None
    export: tuple[str, ...] = ()
    preset_name: str | None = None

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in with_types(given, _RECORDS).items():
            object.__setattr__(self, name, value)  # the record is frozen
        find_target(str(self.target or "keep"), self.ceiling)  # refuses nonsense before any audio is read
        if not 0.0 <= self.max_reduction_db <= MOST_REDUCTION_DB:
            raise InputError(
                f"--max-reduction {self.max_reduction_db:g}: expected 0 to {MOST_REDUCTION_DB:g} dB"
            )
        parse_density(self.density)
        if not 0.0 <= self.overall_strength <= 1.0:
            raise InputError(f"--strength {self.overall_strength:g}: expected 0 to 1")
        for name, value in self.strength.items():
            if not 0.0 <= value <= 1.0:
                raise InputError(f"--strength {name}={value:g}: expected 0 to 1")
        for option, names in (("strength", self.strength), ("skip", self.skip), ("only", self.only)):
            for name in names:
                if name not in stage_names():
                    raise InputError(
                        f"--{option} {name}: there is no such stage; expected {', '.join(stage_names())}"
                    )
        if (
            self.deliverables.safe
            and find_target(str(self.target or "keep"), self.ceiling).ceiling_db is None
        ):
            raise InputError(
                "--codec-safe keeps a ceiling after the encoder: it can't be used with --ceiling off"
            )
        self._check_words()
        if self.edits.bass_mono_hz is not None and self.share_of(STEREO) == 0.0:
            raise InputError(
                "--bass-mono needs the stage stereo, which --skip, --only or --strength leaves out"
            )
        parse_intensity(self.intensity_db)
        if self.style is not None:
            from neural_mastering.styles.expectations import check_style  # reads files

            check_style(self.style)
        if self.match is not None and not self.references:
            raise InputError("--match says how far a reference is followed: give one with --reference")

    def _check_words(self) -> None:
        if not self.words:
            return
        from neural_mastering.words import request  # reads the table of words

        asked = request(self.words)
        for stage, needed in (("eq", asked.words), ("compressor", asked.preset)):
            if needed and self.share_of(stage) == 0.0 and (stage in self.skip or self.only):
                raise InputError(f"--word needs the stage {stage}, which --skip or --only leaves out")

    def share_of(self, stage: str) -> float:
        """The strength of a stage after --strength, --skip and --only."""
        if stage in self.skip or (self.only and stage not in self.only):
            return 0.0
        return self.strength.get(stage, 1.0 if stage in DELIVERY else self.overall_strength)

    def shares(self, controls: ChainControls) -> dict[str, float]:
        """`share_of` for every stage of the controls."""
        return {name: self.share_of(name) for name in controls.stage_names}

    @property
    def allowed_reduction_db(self) -> float:
        """What the limiter may take off; 0 where it is skipped."""
        return self.max_reduction_db * self.share_of(LIMITER)

    @property
    def clip_db(self) -> float:
        """What the clipper of short peaks may take off."""
        return MOST_CLIPPED_DB * self.density * self.share_of(PEAK_CONTROL)

    @property
    def sets_limiter(self) -> bool:
        """Whether the limiter's settings are given, so that none are sought."""
        return self.limiter != LimiterSettings()

    def delivery_spec(self, lufs: float | None, ceiling_db: float | None) -> DeliverySpec:
        """What the delivery aims at, for a loudness and a ceiling."""
        return DeliverySpec(
            lufs,
            ceiling_db,
            self.allowed_reduction_db,
            settings=self.limiter,
            driven=self.limiter if self.sets_limiter else DRIVEN,
            clip_db=self.clip_db,
            max_loss_lu=most_loss_lu(self.density),
        )


def stage_names() -> tuple[str, ...]:
    """Names that --strength, --skip and --only take."""
    return (DC_REMOVAL, "eq", "gain", *STAGE_NAMES, "residual", PEAK_CONTROL, LIMITER)


def parse_strengths(values: Sequence[str]) -> tuple[float, dict[str, float]]:
    """("0.5", "eq=0.2") → overall strength 0.5 and {"eq": 0.2}.

    Raises:
        InputError: not a number.
    """
    overall, by_stage = 1.0, {}
    for value in values:
        name, separator, number = value.rpartition("=")
        try:
            strength = float(number)
        except ValueError:
            raise InputError(f"--strength {value}: expected a number from 0 to 1, or STAGE=NUMBER") from None
        if separator:
            by_stage[name.strip().lower()] = strength
        else:
            overall = strength
    return overall, by_stage


def chosen_target(options: Options, suggested: Target | None = None) -> Target:
    """The target that was asked for, else the suggested one, else that of Spotify; with the ceiling asked for."""
    if options.target is None and suggested is not None:
        return with_ceiling(suggested, options.ceiling)
    return find_target(str(options.target or DEFAULT_TARGET), options.ceiling)


def parse_references(values: Sequence[str]) -> tuple[tuple[Path, float], ...]:
    """("a.wav", "b.wav=2") → files with weights. A file whose name has an = in it is taken as it is.

    Raises:
        InputError: no such file, or a weight that isn't above 0.
    """
    found: list[tuple[Path, float]] = []
    for value in values:
        name, separator, number = value.rpartition("=")
        path, weight = Path(value), 1.0
        if separator and not path.exists():
            path = Path(name)
            try:
                weight = float(number)
            except ValueError:
                raise InputError(f"--reference {value}: no such file") from None
        if not path.exists():
            raise InputError(f"--reference {value}: no such file")
        if not 0.0 < weight < 1e6:
            raise InputError(f"--reference {value}: expected a weight above 0")
        found.append((path, weight))
    return tuple(found)
