"""Whether compiled (numba) loops can take the place of tensor operations."""

from torch import Tensor


def can_compile_for(tensor: Tensor) -> bool:
    """True for a tensor on a CPU, unless numba's compiler is switched off (NUMBA_DISABLE_JIT)."""
    if tensor.device.type != "cpu":
        return False
    import numba

    return not getattr(numba.config, "DISABLE_JIT", False)
