"""The controls file that a person edits: it comes back exactly, and mistakes in it are named."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_mastering.controls import (
    Bands,
    ChainControls,
    EqBand,
    controls_file,
    load_controls,
    save_controls,
)
from neural_mastering.controls.limiter_controls import RANGES, limiter_settings, limiter_values
from neural_mastering.dsp.limiter import LimiterSettings
from neural_mastering.errors import InputError

CONTROLS = ChainControls(
    design_rate_hz=48_000.0,
    eq=Bands.of(
        (
            EqBand("low_shelf", 80.0, 1.0 / 3.0, 0.7),
            EqBand("peak", 1_000.1, -3e-7, 2.0),
            EqBand("high_shelf", 9e3, 4.0, 1.0),
        )
    ),
    gain_db=-1.25,
    stages={"compressor": {"threshold_db": -12.0, "mix": 0.5, "bands_hz": (100.0, 2e-5)}},
    residual='1c: "best" №1 # not a comment',
    residual_amount=0.3,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
bands = st.builds(
    EqBand,
    kind=st.sampled_from(["low_shelf", "peak", "high_shelf"]),
    frequency_hz=st.floats(5.0, 20_000.0),
    gain_db=st.floats(-24.0, 24.0),
    q=st.floats(0.05, 40.0),
)
names = st.text(min_size=1, max_size=12).filter(lambda s: s.strip() != "" and s.isprintable())
anything = st.builds(
    ChainControls,
    design_rate_hz=st.floats(44_100.0, 192_000.0),
    eq=st.lists(bands, max_size=12).map(Bands.of),
    gain_db=st.floats(-60.0, 60.0),
    stages=st.dictionaries(
        names,
        st.dictionaries(names, finite | st.lists(finite, max_size=3).map(tuple), max_size=3),
        max_size=3,
    ),
    residual=st.none() | names,
    residual_amount=st.floats(0.0, 1.0),
    limiter=st.just({})
    | st.fixed_dictionaries({key: st.floats(low, high) for key, (low, high, _) in RANGES.items()}),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(anything)
def test_every_float_and_name_comes_back(controls: ChainControls) -> None:
    assert controls_file.from_text(controls_file.to_text(controls), "memory") == controls


def test_the_file_comes_back_and_reads_well(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "née [1]=x.yaml"
    save_controls(CONTROLS, path)
    assert load_controls(path) == CONTROLS
    text = path.read_text()
    for word in ("Hz", "dB", "kind: low_shelf, frequency_hz: 80.0", "gain_db: -1.25", "residual"):
        assert word in text
    assert [p.name for p in path.parent.iterdir()] == [path.name], "a draft was left behind"


def test_a_limiter_is_its_controls() -> None:
    settings = LimiterSettings(1.0, 900.0, 0.5, 250.0, 1.5, 8.0)
    values = limiter_values(settings, 1.5)
    assert set(values) == set(RANGES) and limiter_settings(values) == settings


def test_an_edited_file_is_read(tmp_path: Path) -> None:
    """By hand: only what matters, whole numbers, 1e3, a byte order mark, Windows line ends."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(
        b"\xef\xbb\xbfdesign_rate_hz: 44100\r\neq:\r\n- kind: peak\r\n  frequency_hz: 1e3\r\n"
        b"  gain_db: 3\r\n  q: 1\r\n"
    )
    assert load_controls(path) == ChainControls(eq=Bands.of((EqBand("peak", 1_000.0, 3.0, 1.0),)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the keys"),
        ("just words", "expected the keys"),
        ("[1, 2]", "expected the keys"),
        ("eq: [", "no valid YAML"),
        ("{}", "'design_rate_hz' is missing"),
        ("design_rate_hz: 44100\nqe: []", "unknown key 'qe'"),
        ("design_rate_hz: 44100\ngain_db: 1\ngain_db: 2", "'gain_db' is there twice"),
        ("design_rate_hz: 44100\nstages: {a: {x: 1}, a: {x: 2}}", "'a' is there twice"),
        ("design_rate_hz: 44100\n1: 2", "not a name"),
        ("design_rate_hz: 44100\nversion: 2", "version 2"),
        ("design_rate_hz: 10", "expected 8000 to"),
        ("design_rate_hz: fast", "expected a number, got 'fast'"),
        ("design_rate_hz: yes", "expected a number, got True"),
        ("design_rate_hz: 44100\ngain_db: .nan", "finite"),
        ("design_rate_hz: 44100\ngain_db: -.inf", "finite"),
        ("design_rate_hz: 44100\ngain_db: 1e999", "finite"),
        ("design_rate_hz: 44100\ngain_db: 100", "gain_db: expected -60 to 60 dB, got 100"),
        ("design_rate_hz: 44100\neq: 3", "eq: expected a list"),
        ("design_rate_hz: 44100\nlimiter: fast", "limiter: expected the keys lookahead_ms"),
        ("design_rate_hz: 44100\nlimiter: {speed_ms: 1}", "limiter: unknown key 'speed_ms'"),
        ("design_rate_hz: 44100\nlimiter: {lookahead_ms: 1}", "limiter: the key 'release_ms' is missing"),
        (
            f"design_rate_hz: 44100\nlimiter: {dict.fromkeys(RANGES, 0.01)}",
            "limiter: lookahead_ms: expected 0.5 to 20 ms, got 0.01",
        ),
        ("design_rate_hz: 44100\neq: [3]", "eq band 1: expected the keys"),
        ("design_rate_hz: 44100\neq: [{kind: peak, frequency_hz: 100, gain_db: 1}]", "'q' is missing"),
        ("design_rate_hz: 44100\neq: [{kind: bell, frequency_hz: 100, gain_db: 1, q: 1}]", "kind 'bell'"),
        ("design_rate_hz: 44100\neq: [{kind: [], frequency_hz: 100, gain_db: 1, q: 1}]", "kind"),
        (
            "design_rate_hz: 44100\neq: [{kind: peak, frequency_hz: 30000, gain_db: 1, q: 1}]",
            "5 to 22005.9 Hz",
        ),
        ("design_rate_hz: 44100\neq: [{kind: peak, frequency_hz: 100, gain_db: 40, q: 1}]", "-24 to 24 dB"),
        ("design_rate_hz: 44100\neq: [{kind: peak, frequency_hz: 100, gain_db: 4, q: 0}]", "0.05 to 40"),
        ("design_rate_hz: 44100\neq: [{kind: peak, freq: 100, gain_db: 4, q: 0}]", "unknown key 'freq'"),
        ("design_rate_hz: 44100\nstages: [1]", "stages: expected names"),
        ("design_rate_hz: 44100\nstages: {compressor: 3}", "stage compressor: expected controls"),
        ("design_rate_hz: 44100\nstages: {compressor: {ratio: .nan}}", "ratio: expected a finite"),
        ("design_rate_hz: 44100\nstages: {compressor: {ratio: [1, x]}}", "expected a number, got 'x'"),
        ("design_rate_hz: 44100\nresidual: 3", "residual: expected the name"),
        ("design_rate_hz: 44100\nresidual: ''", "residual: expected the name"),
        ("design_rate_hz: 44100\nresidual_amount: 2", "0 to 1"),
        ("a: &a [1]\nb: *a", "aliases"),
        ("a: !!python/object/apply:os.system ['true']", "no valid YAML"),
        ("[" * 5_000, "no valid YAML"),
        ("design_rate_hz: 44100\ngain_db: 1" + "0" * 400, "finite"),
    ],
)
def test_mistakes_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message.replace("[", r"\[")) as raised:
        load_controls(path)
    assert str(path) in str(raised.value)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        load_controls(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="can't be read"):
        load_controls(tmp_path)
    (tmp_path / "song.wav").write_bytes(b"RIFF\xff\xfe\x00")
    with pytest.raises(InputError, match=r"not UTF-8|no valid YAML"):
        load_controls(tmp_path / "song.wav")
    (tmp_path / "large.yaml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(InputError, match="larger than 1 MB"):
        load_controls(tmp_path / "large.yaml")


def test_a_refused_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    save_controls(CONTROLS, path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="finite"):
        save_controls(ChainControls(gain_db=math.nan), path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        save_controls(CONTROLS, tmp_path / "file" / "c.yaml")
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


def test_controls_need_no_torch() -> None:
    """Rendering from a controls file must start fast."""
    code = (
        "import sys\n"
        "from neural_mastering.controls import Bands, ChainControls, EqBand, load_controls\n"
        "import neural_mastering.rendering.outputs.export, neural_mastering.rendering.reference.match\n"
        "ChainControls(eq=Bands.of((EqBand('peak', 1e3, 3.0, 1.0),))).eq_sections(96_000)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
