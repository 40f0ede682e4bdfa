"""Energies of signals and their ratios."""

from neural_mastering.shapes import Audio, PerItem

SILENT_ENERGY = 1e-10
"""Mean square below which a signal counts as silent (−100 dB)."""


def energy_share(part: Audio, whole: Audio) -> PerItem:
    """Mean square of `part` over that of `whole`, for each item (batch,); finite on silence.

    10·log10 of it is the part's share in dB.
    """
    return part.float().square().mean(dim=(1, 2)) / (whole.float().square().mean(dim=(1, 2)) + SILENT_ENERGY)
