"""Whether compiled (numba) loops can take the place of tensor operations."""

import torch
from torch import Tensor


def can_compile_for(tensor: Tensor) -> bool:
    """True for a tensor on a CPU, unless numba's compiler is switched off (NUMBA_DISABLE_JIT).

    False while torch.compile or torch.export traces, since these see tensor operations only.
    """
    if tensor.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    import numba  # loads numba

    return not getattr(numba.config, "DISABLE_JIT", False)
