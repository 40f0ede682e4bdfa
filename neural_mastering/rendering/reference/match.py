"""Match a song's tone to reference songs by fitting the chain's own controls: no model, no training.

The song's and the references' long-term spectra give a curve (`prior.estimate`: how much of the
difference should be followed at all), the curve gives bands of the parametric equaliser
(`reference_fit.fit_curve`). What comes out are ordinary `ChainControls`: to look at, edit, export. Their
loudness is the references' and belongs to the delivery target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_mastering.controls import ChainControls
from neural_mastering.errors import InputError
from neural_mastering.metering.fine_structure import SAME, same_song_share, structure_correlation
from neural_mastering.metering.profile import Float64s, Profile, profile_of_file, weighted_mean
from neural_mastering.rendering.reference import prior
from neural_mastering.rendering.reference.fit import fit_curve

SAME_SONG = 0.03
"""A difference of at most this part of the usual spread between songs counts as a version of the same song."""


@dataclass(frozen=True)
class ReferenceMatch:
    """What matching to references gave.

    Attributes:
        controls: the equaliser; broadband gain 0 dB.
        lufs: loudness of the references (weighted mean in dB), to be the target.
        followed: share of the spectral difference that is followed, 0 to 1.
        same_song: probability that the reference is a version of this very song, by third octaves and notes.
        agreement: of the fine structures, −1 to 1.
        difference_db: (third,) references less song, mean 0, before any restraint.
        curve_db: (third,) what the equaliser was asked for.
        sentences: what was done, in words with numbers.
    """

    controls: ChainControls
    lufs: float
    followed: float
    same_song: float
    agreement: float
    difference_db: Float64s
    curve_db: Float64s
    sentences: tuple[str, ...]


def match_references(
    song: Profile,
    references: Sequence[tuple[Profile, float]],
    follow: float | None = None,
    design_rate_hz: float = 44_100.0,
) -> ReferenceMatch:
    """Fit the equaliser to references.

    Args:
        song: from `profile.profile_of`.
        references: (profile, weight), weights above 0; their spectra are averaged in dB.
        follow: share of the spectral difference to follow, 0 to 1; None decides by how alike the song and the
            references are.
        design_rate_hz: at which the bands will mean their curve.

    Raises:
        InputError: a song or a reference with nothing to hear in it, no references, bad weights.
    """
    mean = weighted_mean([profile for profile, _ in references], [weight for _, weight in references])
    if not mean.is_usable:
        raise InputError("the references have too little sound in common: give songs of some seconds")
    if follow is not None and not 0.0 <= follow <= 1.0:
        raise InputError(f"the share of a reference to follow must lie between 0 and 1, got {follow:g}")
    if not song.is_usable or int((song.filled & mean.filled).sum()) < 6:
        return _nothing(song, mean, design_rate_hz)
    shares = np.array([weight for _, weight in references]) / sum(weight for _, weight in references)
    # The mean of several songs is closer to what songs have in common than one of them is.
    guess = prior.estimate(song, mean, spread=0.5 * (1.0 + float((shares**2).sum())))
    difference_db, filled = prior.difference(song, mean)
    # What differs by a smooth curve may still be another song: the notes tell.
    agreement = structure_correlation(song.fine_db, mean.fine_db)
    share = same_song_share(agreement)
    if follow is None:
        curve_db, followed = share * guess.curve_db, share * guess.followed
    else:
        curve_db, followed = follow * _smoothed(difference_db, filled), follow
    controls = ChainControls(design_rate_hz=design_rate_hz, eq=fit_curve(curve_db, filled, design_rate_hz))
    same = share * float(guess.likeness[np.array(prior.SCALES) <= SAME_SONG].sum())
    return ReferenceMatch(
        controls=controls,
        lufs=mean.lufs,
        followed=followed,
        same_song=same,
        agreement=agreement,
        difference_db=difference_db,
        curve_db=curve_db,
        sentences=_sentences(
            controls, difference_db[filled], followed, same, agreement, len(references), follow is None
        ),
    )


def match_files(
    song: Profile,
    references: Sequence[tuple[Path, float]],
    follow: float | None = None,
    design_rate_hz: float = 44_100.0,
) -> ReferenceMatch:
    """`match_references` with references from audio files, each read once in blocks.

    Raises:
        InputError: a file that can't be read or used.
    """
    measured = [(profile_of_file(path), weight) for path, weight in references]
    return match_references(song, measured, follow, design_rate_hz)


def _smoothed(difference_db: Float64s, filled: np.ndarray) -> Float64s:
    """Triangular mean over five third octaves, of the bands that are filled."""
    kernel = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    known = filled.astype(float)
    total = np.convolve(difference_db * known, kernel, mode="same")
    share = np.convolve(known, kernel, mode="same")
    smooth = np.where(share > 0.0, total / np.maximum(share, 1.0), 0.0)
    return np.clip(smooth - smooth[filled].mean(), -12.0, 12.0)


def _nothing(song: Profile, mean: Profile, design_rate_hz: float) -> ReferenceMatch:
    flat = np.zeros(len(song.levels_db))
    why = "the song is too short or too quiet to be compared with the references: tone was left alone"
    return ReferenceMatch(
        ChainControls(design_rate_hz=design_rate_hz), mean.lufs, 0.0, 0.0, 0.0, flat, flat, (why,)
    )


def _sentences(
    controls: ChainControls,
    difference_db: Float64s,
    followed: float,
    same: float,
    agreement: float,
    count: int,
    by_itself: bool,
) -> tuple[str, ...]:
    noun = "the reference" if count == 1 else f"{count} references"
    size = float(np.sqrt((difference_db**2).mean()))
    first = f"the long-term spectrum differs from {noun} by {size:.1f} dB (third octaves, rms)"
    if not by_itself:
        second = f"{100.0 * followed:.0f} % of the smoothed difference was followed, as asked"
    elif same > 0.5:
        second = (
            f"the fine structure agrees by {agreement:.2f}, as only versions of one song do: "
            f"{100.0 * followed:.0f} % was followed"
        )
    else:
        second = (
            f"most of that is what sets different songs apart, not what an equaliser should change (the fine "
            f"structure agrees by {agreement:.2f}, that of one song's versions by {SAME} and more): "
            f"{100.0 * followed:.0f} % was followed"
        )
    bands = len(controls.eq)
    largest = max((abs(band.gain_db) for band in controls.eq), default=0.0)
    third = (
        f"{bands} bands of equaliser, the largest {largest:.1f} dB" if bands else "no equaliser was needed"
    )
    return (first, second, third)
