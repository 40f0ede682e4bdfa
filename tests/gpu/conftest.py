"""The device under test: a CUDA GPU; without one these tests are skipped.

NEURAL_MASTERING_TEST_DEVICE=cpu runs them on the CPU instead, to check the tests themselves.
"""

import os
from collections.abc import Iterator

import pytest
import torch

DEVICE_VARIABLE = "NEURAL_MASTERING_TEST_DEVICE"


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Where the library is run."""
    name = os.environ.get(DEVICE_VARIABLE, "cuda")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    return torch.device(name)


@pytest.fixture(autouse=True)
def _exact_float32() -> Iterator[None]:
    """Convolutions in float32, not in TF32, which has 10 bits: the CPU is the oracle."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
