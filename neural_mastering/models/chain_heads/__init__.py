"""Heads that predict the controls of the grey-box chain."""

from neural_mastering.models.chain_heads.chain_head import ChainControlValues, ChainHead
from neural_mastering.models.chain_heads.grey_box import GreyBoxChain
from neural_mastering.models.chain_heads.none import NoChain

__all__ = ["ChainControlValues", "ChainHead", "GreyBoxChain", "NoChain"]
