"""What is going to be evaluated, as plain values that travel to worker processes, and the systems made from it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from neural_mastering.data import AudioCache, SongPair
from neural_mastering.errors import InputError
from neural_mastering.evaluation import matchering_peer
from neural_mastering.evaluation.matchering_peer import Matchering
from neural_mastering.evaluation.outside_masters import OutsideMasters
from neural_mastering.evaluation.run_info import RunInfo
from neural_mastering.evaluation.song_baselines import LoudnessMatch, MeanCorrection, SpectralMatch, Untouched
from neural_mastering.evaluation.song_set import SongSet
from neural_mastering.evaluation.song_systems import SongSystem
from neural_mastering.evaluation.trained_model import TrainedModel
from neural_mastering.evaluation.training_average import TrainingAverage
from neural_mastering.models import load_model, read_bundle
from neural_mastering.numeric.model import load_numeric

DEFAULT_RATE = 44_100
RESERVED = ("identity", "loudness", "average_eq", "spectral_match", "matchering", "matchering_oracle")


@dataclass(frozen=True)
class ModelRow:
    """One checkpoint: the row's key and name."""

    key: str
    name: str
    run: RunInfo


@dataclass(frozen=True)
class EvaluationPlan:
    """The rows to come.

    Attributes:
        sample_rate: of the evaluation, in Hz.
        models: one a checkpoint.
        outside: row's name → folder of masters.
        average: of the training songs; None leaves its two rows out.
        references: song → pair whose master is Matchering's reference; None leaves both its rows out.
        cache_folder: of resampled files.
    """

    sample_rate: int
    models: tuple[ModelRow, ...] = ()
    outside: Mapping[str, Path] = field(default_factory=dict)
    average: TrainingAverage | None = None
    references: Mapping[str, SongPair] | None = None
    cache_folder: Path | None = None

    @property
    def cache(self) -> AudioCache:
        """Resampled files at the plan's rate."""
        return AudioCache(self.cache_folder, self.sample_rate)


def model_rows(runs: Sequence[RunInfo]) -> tuple[ModelRow, ...]:
    """Keys and names: a bundle's own; a run's phase, with the run's name where a phase comes twice."""
    rows: list[ModelRow] = []
    phases = [run.phase_name for run in runs if not run.is_bundle]
    for run in runs:
        name = run.name if run.is_bundle else f"phase {run.phase_name}"
        if not run.is_bundle and phases.count(run.phase_name) > 1:
            name += f" ({run.name})"
        taken = sum(row.name == name or row.name.startswith(f"{name} #") for row in rows)
        name += f" #{taken + 1}" if taken else ""
        rows.append(ModelRow(_key(name), name, run))
    return tuple(rows)


def common_rate(runs: Sequence[RunInfo], wanted: int | None = None) -> int:
    """The one rate at which all models work.

    Raises:
        InputError: models at different rates, or another one asked for.
    """
    rates = {run.name: _rate(run) for run in runs}
    if len(set(rates.values())) > 1:
        listed = ", ".join(f"{name} {rate} Hz" for name, rate in rates.items())
        raise InputError(
            f"the checkpoints work at different sample rates ({listed}): evaluate them one by one"
        )
    own = next(iter(rates.values()), None)
    if own is not None and wanted is not None and wanted != own:
        raise InputError(
            f"--sample-rate {wanted} does not fit {next(iter(rates))}, which was trained at {own} Hz: leave it "
            f"out, and the songs are resampled to {own} Hz"
        )
    return own or wanted or DEFAULT_RATE


def build_systems(plan: EvaluationPlan, songs: Sequence[str]) -> list[SongSystem]:
    """The rows in the order of tables, the identity first.

    Raises:
        InputError: checkpoints that can't be loaded, outside masters that are missing.
    """
    cache = plan.cache
    systems: list[SongSystem] = [Untouched(), LoudnessMatch()]
    if plan.average is not None:
        note = f"mean over {plan.average.songs} songs: {plan.average.source}"
        systems.append(MeanCorrection(plan.average.correction_db, note))
        systems.append(SpectralMatch(plan.average.target_db, note))
    systems += [_trained_model(row) for row in plan.models]
    for name, folder in plan.outside.items():
        masters = OutsideMasters(_key(name), name, folder, cache, note=f"files of {folder.resolve().name}")
        masters.check(list(songs))
        systems.append(masters)
    if plan.references is not None:
        if plan.references:
            systems.append(Matchering(cache, plan.references))
        systems.append(Matchering(cache, None))
    keys = [system.key for system in systems]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise InputError(f"two rows are called '{twice}': give --systems another name")
    return systems


def references_by_group(chosen: SongSet) -> dict[str, SongPair]:
    """For each song the next one of its group; songs alone in their group are left out."""
    groups: dict[str, list[SongPair]] = defaultdict(list)
    for song in chosen.songs:
        groups[song.group].append(song)
    return {
        song.name: part[(i + 1) % len(part)]
        for part in groups.values()
        if len(part) > 1
        for i, song in enumerate(part)
    }


def peer_references(chosen: SongSet, wanted: bool) -> tuple[dict[str, SongPair] | None, str]:
    """References for Matchering's rows, or None with the reason why they are left out."""
    if not wanted:
        return None, ""
    if not matchering_peer.is_installed():
        return None, matchering_peer.NOT_INSTALLED
    references = references_by_group(chosen)
    reason = (
        "" if references else "no group holds two songs: Matchering runs with the target as reference only"
    )
    return references, reason


def _trained_model(row: ModelRow) -> TrainedModel:
    run = row.run
    numbers = load_numeric(read_bundle(run.checkpoint)) if run.is_bundle else None
    return TrainedModel(row.key, row.name, load_model(run.checkpoint), run.note, run.confidence, numbers)


def _rate(run: RunInfo) -> int:
    encoder = run.model_config.get("encoder") or {}
    return int(encoder.get("sample_rate", DEFAULT_RATE))


def _key(name: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "system"
