"""dasp-pytorch's and torchaudio's filters in the place of our own, against scipy and our own."""

import sys
from types import ModuleType

import jaxtyping
import numpy as np
import pytest
import scipy.signal
import torch

from neural_mastering.dsp import biquad
from neural_mastering.dsp.biquad import Kind
from neural_mastering.interop import dasp_eq, torchaudio_eq
from neural_mastering.interop.biquad_sections import sections

RATE = 44_100.0
KINDS: tuple[Kind, ...] = ("low_shelf", "peak", "peak", "high_shelf")


def _settings() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    frequency = torch.tensor([[80.0, 300.0, 2_000.0, 9_000.0], [120.0, 500.0, 3_000.0, 7_000.0]])
    gain = torch.tensor([[6.0, -9.0, 3.0, -4.0], [-5.0, 4.0, 0.0, 8.0]])
    q = torch.tensor([[0.7, 2.0, 1.0, 0.8], [0.9, 1.0, 3.0, 0.6]])
    return frequency.double(), gain.double(), q.double()


def test_sections_have_the_response_of_the_closed_form() -> None:
    at_hz = torch.linspace(10.0, 22_000.0, 300, dtype=torch.float64)
    expected = biquad.response(*_settings(), at_hz, RATE, KINDS).numpy()
    for item, sos in enumerate(sections(*_settings(), RATE, KINDS).numpy()):
        _, got = scipy.signal.sosfreqz(sos, worN=at_hz.numpy(), fs=RATE)
        np.testing.assert_allclose(got, expected[item], rtol=1e-9)


def test_sections_name_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    # Users have no checks of types at run time: the messages must come without.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="unknown kind 'notch'"):
        sections(*_settings(), RATE, ["peak", "notch", "peak", "peak"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="2 kinds for 4 bands"):
        sections(*_settings(), RATE, ["peak", "peak"])


def test_dasp_agrees_and_does_not_wrap_around() -> None:
    pytest.importorskip("dasp_pytorch", reason="needs the extra interop")
    # A band that rings longer than the audio, and an impulse near its end: none may come back before it.
    frequency, gain, q = _settings()
    frequency[:, 1], gain[:, 1], q[:, 1] = 40.0, 9.0, 4.0
    audio = torch.zeros(2, 2, 600, dtype=torch.float64)
    audio[..., 500] = 1.0
    expected = biquad.equalize(audio, frequency, gain, q, RATE, KINDS)
    got = dasp_eq.equalize(audio, frequency, gain, q, RATE, KINDS)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)
    assert got[..., :500].abs().max() < 1e-5 and (expected - audio).abs().max() > 0.1


def test_dasp_has_gradients_to_every_parameter() -> None:
    pytest.importorskip("dasp_pytorch", reason="needs the extra interop")
    audio, upstream = torch.randn(2, 1, 2_000).double(), torch.randn(2, 1, 2_000).double()
    gradients = []
    for engine in (biquad.equalize, dasp_eq.equalize):
        frequency, gain, q = (p.requires_grad_() for p in _settings())
        (engine(audio, frequency, gain, q, RATE, KINDS, taps=16_384) * upstream).sum().backward()
        gradients.append((frequency.grad, gain.grad, q.grad))
    for ours, theirs in zip(*gradients, strict=True):
        assert ours is not None
        torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-6)


def _lfilter_by_scipy(waveform: torch.Tensor, a: torch.Tensor, b: torch.Tensor, clamp: bool) -> torch.Tensor:
    """torchaudio.functional.lfilter's contract (…, filter, time), one filter a row, without its clamp."""
    assert not clamp
    rows = [
        scipy.signal.lfilter(b[i].numpy(), a[i].numpy(), waveform[..., i, :].numpy()) for i in range(len(a))
    ]
    return torch.from_numpy(np.stack(rows, axis=-2))


def test_lfilter_gets_the_right_filter_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    functional = ModuleType("torchaudio.functional")
    functional.lfilter = _lfilter_by_scipy  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "torchaudio", ModuleType("torchaudio"))
    monkeypatch.setitem(sys.modules, "torchaudio.functional", functional)
    audio = 3.0 * torch.randn(2, 2, 4_000, dtype=torch.float64)
    got = torchaudio_eq.equalize(audio, *_settings(), RATE, KINDS)
    expected = biquad.equalize(audio, *_settings(), RATE, KINDS)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_torchaudio_itself_agrees() -> None:
    try:
        import torchaudio.functional  # noqa: F401  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError) as error:
        pytest.skip(f"torchaudio does not load here (it needs a CUDA build of torch): {error}")
    audio = 3.0 * torch.randn(2, 2, 4_000, dtype=torch.float64)
    got = torchaudio_eq.equalize(audio, *_settings(), RATE, KINDS)
    expected = biquad.equalize(audio, *_settings(), RATE, KINDS)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = torch.zeros(2, 1, 100)
    monkeypatch.setitem(sys.modules, "dasp_pytorch.signal", None)
    with pytest.raises(ImportError, match=r"neural-mastering\[interop\]"):
        dasp_eq.equalize(audio, *_settings(), RATE)
    monkeypatch.setitem(sys.modules, "torchaudio.functional", None)
    with pytest.raises(ImportError, match=r"neural-mastering\[torchaudio\]"):
        torchaudio_eq.equalize(audio, *_settings(), RATE)


def test_a_cpu_build_of_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        """What importing torchaudio does beside a CPU build."""

        def find_spec(self, name: str, *_: object) -> None:
            if name.startswith("torchaudio"):
                raise OSError("libcudart.so.12: cannot open shared object file")

    for name in [name for name in sys.modules if name.startswith("torchaudio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ImportError, match="CUDA build of torch"):
        torchaudio_eq.equalize(torch.zeros(2, 1, 100), *_settings(), RATE)
