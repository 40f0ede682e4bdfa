"""A learned engineer: what is done to tone, level, dynamics and width, as functions of the song."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ, Float64s
from neural_mastering.engineer.features import SongFeatures
from neural_mastering.engineer.score import Predicted, ScoreModel, ScorePredictor, between, mean_only
from neural_mastering.engineer.traits import TRAITS, clipped, filled_levels_db, trait_values
from neural_mastering.errors import InputError

CONTENT_CLIP = 3.5
CONTENT_WIDTHS = (1.0, 2.0)
"""Of the kernels of content, in roots of the number of features."""

NUMBERS = ("loudness_lufs", "plr_db", "lra_lu", "width_db", "true_peak_db")
"""What is learned beside the tone, by its name in `MasterMove`."""

CHANGES = ("width_db",)
"""Of these the change from the mix is learned: who leaves the width alone then moves it for no song."""


@dataclass(frozen=True)
class NumberEstimate:
    """A number with the standard deviation of the next master around it."""

    value: float
    sigma: float


@dataclass(frozen=True)
class Prediction:
    """What the engineer is expected to do to a song.

    Attributes:
        curve_db: (third,) change of the spectrum, mean 0 from 50 Hz to 12.5 kHz.
        curve_sigma_db: (third,) its standard deviation.
        curve: the same with its covariance.
        numbers: what the master measures: loudness_lufs, plr_db, lra_lu, width_db, true_peak_db.
    """

    curve_db: Float64s
    curve_sigma_db: Float64s
    curve: Gaussian
    numbers: Mapping[str, NumberEstimate]

    @property
    def loudness_lufs(self) -> float:
        """Integrated loudness of the master."""
        return self.numbers["loudness_lufs"].value

    @property
    def plr_db(self) -> float:
        """True peak less loudness of the master."""
        return self.numbers["plr_db"].value

    @property
    def lra_lu(self) -> float:
        """Loudness range of the master."""
        return self.numbers["lra_lu"].value

    @property
    def width_db(self) -> float:
        """Side over mid of the master."""
        return self.numbers["width_db"].value


@dataclass(frozen=True)
class KnownSongs:
    """The mixes that an engineer was learned from, as far as they are compared with a new one.

    Attributes:
        names: of the songs.
        traits: (song, trait) standardised.
        trait_centre, trait_scale: (trait,) by which they are standardised.
        content: (song, feature) standardised.
        content_names: of the features.
        content_centre, content_scale: (feature,).
        levels_db: (song, third) spectra, mean 0.
    """

    names: tuple[str, ...]
    traits: Float64s
    trait_centre: Float64s
    trait_scale: Float64s
    content: Float64s
    content_names: tuple[str, ...]
    content_centre: Float64s
    content_scale: Float64s
    levels_db: Float64s

    def __len__(self) -> int:
        return len(self.names)

    def seen(self, songs: Sequence[SongFeatures]) -> tuple[Float64s, Float64s, Float64s]:
        """Traits, content and levels of songs on the same scales.

        Raises:
            InputError: features of another version of the package.
        """
        for song in songs:
            if song.content.names != self.content_names:
                raise InputError(
                    f"the features of this song ({len(song.content.names)}) are not those that the engineer was "
                    f"learned with ({len(self.content_names)}): learn it again with this version of the package"
                )
        traits = clipped((trait_values(songs) - self.trait_centre) / self.trait_scale)
        content = (np.stack([s.content.values for s in songs]) - self.content_centre) / self.content_scale
        levels = np.stack([filled_levels_db(song) for song in songs])
        return traits, np.clip(content, -CONTENT_CLIP, CONTENT_CLIP), levels


SPARSE = len(TRAITS) + 1
"""Kernels of single traits: the list, and the song's own level along the curve in question."""


Songs = tuple[Float64s, Float64s, Float64s]
"""Traits (song, trait), own level (song,) and content (song, feature)."""


def kernels_between(one: Songs, other: Songs, allowed: Float64s) -> Float64s:
    """(kernel, song, song): each trait, the own level, all traits together, nearness in content.

    Args:
        one, other: songs.
        allowed: (trait,) 1 for traits that count among all together, else 0.
    """
    single = np.einsum("it,jt->tij", one[0], other[0])
    own = one[1][:, None] * other[1][None]
    together = (one[0] * allowed) @ other[0].T / max(allowed.sum(), 1.0)
    square = (one[2] ** 2).sum(1)[:, None] + (other[2] ** 2).sum(1)[None] - 2.0 * one[2] @ other[2].T
    distance = np.maximum(square, 0.0) / one[2].shape[1]
    near = [np.exp(-0.5 * distance / width**2) for width in CONTENT_WIDTHS]
    return np.concatenate([single, own[None], together[None], np.stack(near)])


@dataclass(frozen=True)
class Output:
    """One learned number.

    Attributes:
        model: of it.
        allowed: (trait,) which traits may count in general.
        own_curve: (third,) along which the song's own level is read; zeros for none.
        own_centre, own_scale: of that level.
        trust: 0 to 1, the share of the song-dependent part that comes true for groups that are held out.
    """

    model: ScoreModel
    allowed: Float64s
    own_curve: Float64s
    own_centre: float = 0.0
    own_scale: float = 1.0
    trust: float = 1.0

    def own(self, levels_db: Float64s) -> Float64s:
        """(song,) own level of spectra (song, third), standardised."""
        return clipped((levels_db @ self.own_curve - self.own_centre) / self.own_scale)

    def songs(self, traits: Float64s, content: Float64s, levels_db: Float64s) -> Songs:
        """Songs as `kernels_between` takes them."""
        return traits, self.own(levels_db), content


class OutputPredictor:
    """One learned number for any song; all that depends on the known songs is computed once."""

    def __init__(self, output: Output, known: KnownSongs) -> None:
        self._output = output
        self._known = output.songs(known.traits, known.content, known.levels_db)
        kernels = kernels_between(self._known, self._known, output.allowed)
        self._predictor = ScorePredictor(output.model, kernels)
        self._average = mean_only(output.model.values)

    def at(self, seen: tuple[Float64s, Float64s, Float64s]) -> Predicted:
        """Of the one song of `seen`: with probability `trust` by the model, else the average."""
        output, new = self._output, self._output.songs(*seen)
        found = self._predictor.at(
            kernels_between(self._known, new, output.allowed)[:, :, 0],
            kernels_between(new, new, output.allowed)[:, 0, 0],
        )
        return between(self._average, found, output.trust) if output.trust < 1.0 else found


@dataclass(frozen=True)
class LearnedEngineer:
    """What was learned from pairs; see `fit`.

    Attributes:
        known: the songs.
        mean_db: (third,) the average move.
        coupling: in every band, the part of what the mix's smooth spectrum has beyond the mean one that is added;
            below 0 on the way to a target, 0 where the pairs don't show it.
        smoothing: bands over which the spectrum is smoothed for it.
        mean_levels_db: (third,) mean spectrum of the mixes.
        basis: (score, third) orthonormal curves in which moves differ from the average.
        scores: how much of each, by song.
        rest_db: (third,) standard deviation of what the basis leaves out.
        numbers: of the master by name.
        imposed: names of numbers that nm-master makes true beside loudness and peaks, since songs that were held
            out bear them out; width alone so far.
        spread_factor: by name ("curve" and the numbers): what makes the predicted standard deviations true on
            songs that were not learned from.
        about: data, measures and words, for people.
    """

    known: KnownSongs
    mean_db: Float64s
    coupling: float
    smoothing: int
    mean_levels_db: Float64s
    basis: Float64s
    scores: tuple[Output, ...]
    rest_db: Float64s
    numbers: Mapping[str, Output]
    imposed: tuple[str, ...] = ()
    spread_factor: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)

    def known_moves(self) -> Float64s:
        """(song, third) what is predicted for the songs it was learned from."""
        seen = self._known_seen()
        moves = self.mean_db + self.coupled_db(self.known.levels_db)
        for shape, predictor in zip(self.basis, self._score_predictors, strict=True):
            moves = moves + np.outer([predictor.at(one).mean for one in seen], shape)
        return moves

    def known_numbers(self, name: str) -> Float64s:
        """(song,) the same of one number of the master, or of its change from the mix (`CHANGES`)."""
        predictor = self._number_predictors[name]
        return np.array([predictor.at(one).mean for one in self._known_seen()])

    def coupled_db(self, levels_db: Float64s) -> Float64s:
        """(song, third) the part of the move that goes with the spectrum, for spectra (song, third)."""
        return self.coupling * smoothed(levels_db - self.mean_levels_db, self.smoothing)

    @cached_property
    def _score_predictors(self) -> list[OutputPredictor]:
        return [OutputPredictor(output, self.known) for output in self.scores]

    @cached_property
    def _number_predictors(self) -> dict[str, OutputPredictor]:
        return {name: OutputPredictor(output, self.known) for name, output in self.numbers.items()}

    def _known_seen(self) -> list[tuple[Float64s, Float64s, Float64s]]:
        known = self.known
        return [
            (known.traits[i : i + 1], known.content[i : i + 1], known.levels_db[i : i + 1])
            for i in range(len(known))
        ]

    def predict(self, song: SongFeatures) -> Prediction:
        """What this engineer would do to a song.

        Raises:
            InputError: features of another version of the package.
        """
        seen = self.known.seen([song])
        curve = self.mean_db + self.coupled_db(seen[2])[0]
        covariance = np.diag(self.rest_db**2)
        for shape, predictor in zip(self.basis, self._score_predictors, strict=True):
            found = predictor.at(seen)
            curve = curve + found.mean * shape
            covariance = covariance + (found.variance + found.noise) * np.outer(shape, shape)
        covariance = covariance * self.spread_factor.get("curve", 1.0) ** 2
        curve = curve - curve[BROAD].mean()
        numbers = {}
        for name, predictor in self._number_predictors.items():
            found = predictor.at(seen)
            sigma = np.sqrt(found.variance + found.noise) * self.spread_factor.get(name, 1.0)
            start = getattr(song, name) if name in CHANGES else 0.0
            numbers[name] = NumberEstimate(start + found.mean, float(sigma))
        statement = Gaussian.of(curve, covariance + 1e-4 * np.eye(len(CENTRES_HZ)))
        return Prediction(curve, statement.sigma, statement, numbers)


def smoothed(levels_db: Float64s, bands: int) -> Float64s:
    """(song, third) mean over neighbouring bands, fewer at the ends; mean 0 from 50 Hz to 12.5 kHz."""
    kernel = np.ones(bands)
    count = np.convolve(np.ones(levels_db.shape[1]), kernel, "same")
    found = np.stack([np.convolve(row, kernel, "same") for row in levels_db]) / count
    return found - found[:, BROAD].mean(axis=1, keepdims=True)
