"""Which channel of the mastered side is which of the unmastered one, and with which sign."""

from dataclasses import dataclass

import numpy as np

from neural_mastering.data.audit.cross_spectra import Spectra

_LOW_HZ, _HIGH_HZ = 80.0, 12_000.0
_LEAST_SIDE_COHERENCE = 0.15
_LEAST_SIDE_SHARE = 1e-5  # side 50 dB below mid: mono for all purposes
_MARGIN = 0.25


@dataclass(frozen=True)
class Assignment:
    """mastered[channel] ≈ sign[channel] · unmastered[source[channel]], filtered.

    Attributes:
        source: channel of the unmastered side for each mastered channel.
        sign: 1 or −1 for each mastered channel.
        certain: false where mid dwarfs side, so that a swap cannot be seen (it would not be heard either).
    """

    source: tuple[int, ...]
    sign: tuple[int, ...]
    certain: bool

    @property
    def polarity(self) -> int:
        """−1 where all channels are inverted, else 1."""
        return -1 if all(sign < 0 for sign in self.sign) else 1

    @property
    def swapped(self) -> bool:
        """Whether left and right are exchanged."""
        return self.source == (1, 0)

    @property
    def one_inverted(self) -> str:
        """The channel of the mastered side ("left" or "right") that alone is inverted; "" where none is."""
        if len(set(self.sign)) < 2:
            return ""
        return "left" if self.sign[0] < 0 else "right"


def find_assignment(spectra: Spectra) -> Assignment:
    """The signed permutation of channels that explains the mastered side best.

    In terms of mid m and side s, a straight or inverted pair has coherent m–m and s–s of equal sign, a swapped
    one of opposite sign, and one inverted channel makes m–s and s–m coherent instead. So a quiet side counts as
    much as a loud mid.
    """
    cross, before, after = (part.sum(axis=0) for part in (spectra.cross, spectra.before, spectra.after))
    if cross.shape[0] != 2 or cross.shape[1] != 2:
        sign = (
            1
            if _coherence(cross.mean(axis=(0, 1)), before.mean(axis=0), after.mean(axis=0), spectra) >= 0
            else -1
        )
        channels = cross.shape[1]
        return Assignment(
            tuple(min(c, cross.shape[0] - 1) for c in range(channels)), (sign,) * channels, True
        )
    # rows of the change to mid and side, applied to both sides
    change = np.array([[1.0, 1.0], [1.0, -1.0]]) / 2.0
    rotated = np.einsum("ia,abf,jb->ijf", change, cross, change)
    own_x, own_y = spectra.mid_side_before.sum(axis=0), spectra.mid_side_after.sum(axis=0)
    rho = [[_coherence(rotated[i, j], own_x[i], own_y[j], spectra) for j in (0, 1)] for i in (0, 1)]
    share = min(float(own[1].sum() / max(own[0].sum(), 1e-30)) for own in (own_x, own_y))
    straight, turned = abs(rho[0][0]) + abs(rho[1][1]), abs(rho[0][1]) + abs(rho[1][0])
    if share < _LEAST_SIDE_SHARE:
        sign = 1 if rho[0][0] >= 0 else -1
        return Assignment((0, 1), (sign, sign), False)
    if turned > straight + _MARGIN:
        # where the right channel is inverted, mid becomes side and side mid; a swap turns one of the signs
        swapped = (rho[1][0] > 0) != (rho[0][1] > 0)
        return Assignment((1, 0) if swapped else (0, 1), (1, -1) if rho[0][1] > 0 else (-1, 1), True)
    sign = 1 if rho[0][0] >= 0 else -1
    certain = abs(rho[1][1]) > _LEAST_SIDE_COHERENCE and abs(rho[0][0]) > _LEAST_SIDE_COHERENCE
    if not certain and abs(rho[1][1]) > abs(rho[0][0]):
        return Assignment((0, 1), (1, 1) if rho[1][1] >= 0 else (-1, -1), False)
    swapped = certain and (rho[1][1] >= 0) != (rho[0][0] >= 0)
    return Assignment((1, 0) if swapped else (0, 1), (sign, sign), certain)


def matched(spectra: Spectra, assignment: Assignment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cross-spectrum and both powers, (section, bin), summed over the channels that belong together."""
    channels = range(spectra.cross.shape[2])
    cross = sum(assignment.sign[c] * spectra.cross[:, assignment.source[c], c] for c in channels)
    before = sum(spectra.before[:, assignment.source[c]] for c in channels)
    return np.asarray(cross), np.asarray(before), spectra.after.sum(axis=1)


def _coherence(cross: np.ndarray, before: np.ndarray, after: np.ndarray, spectra: Spectra) -> float:
    """Mean over the band of the in-phase coherence, −1 … 1."""
    band = (spectra.hz >= _LOW_HZ) & (spectra.hz <= min(_HIGH_HZ, 0.4 * spectra.sample_rate))
    norm = np.sqrt(before * after)[band]
    audible = norm > 1e-9 * max(float(norm.max(initial=0.0)), 1e-30)
    return float((np.real(cross)[band][audible] / norm[audible]).mean()) if audible.any() else 0.0
