"""The price of an open band (phase 1C)."""

from torch import Tensor

from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class GateSparsity(LossTerm):
    """Expected number of open bands above the held ones, mean over items: an expected L0 norm.

    Source: Louizos, Welling, Kingma, ICLR 2018, equation 9. 0 for systems without gates.
    """

    regularizer = True

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; the target plays no part."""
        return target.new_zeros(()) if output.gates is None else output.gates.expected_excess.mean()
