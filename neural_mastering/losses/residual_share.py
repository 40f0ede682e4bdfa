"""The price of the neural residual, so that it does not take over the equaliser's work."""

from torch import Tensor

from neural_mastering.dsp.energy import energy_share
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class ResidualShare(LossTerm):
    """Energy of the residual over the energy of the output, mean over items; 0 without a residual."""

    regularizer = True

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; the target plays no part."""
        if output.residual is None:
            return target.new_zeros(())
        return energy_share(output.residual, output.audio).mean()
