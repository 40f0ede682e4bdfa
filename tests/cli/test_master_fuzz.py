"""nm-master on mutated headers, random options and formats, in one process: never a traceback, never a changed
input, never an output above its ceiling, never half a file."""

import hashlib
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.audio_io.block import joined
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.cli.master import invoke
from neural_mastering.controls import Bands, ChainControls, EqBand, save_controls
from neural_mastering.dsp.true_peak import true_peak_db

RATE = 44_100
SUFFIXES = (".wav", ".flac", ".aiff", ".wav", ".flac", ".mp3", ".opus", ".ogg", ".xyz")
HEADER_BYTES = {".wav": 80, ".flac": 120, ".aiff": 90, ".mp3": 500, ".ogg": 200, ".opus": 200, ".m4a": 300}
FFMPEG = shutil.which("ffmpeg")


def _originals(folder: Path) -> list[Path]:
    rng, paths = np.random.default_rng(0), []
    for i, (suffix, subtype, channels, rate) in enumerate(
        [
            (".wav", "PCM_16", 2, RATE),
            (".wav", "PCM_24", 1, 48_000),
            (".wav", "FLOAT", 2, RATE),
            (".flac", "PCM_16", 2, RATE),
            (".flac", "PCM_24", 1, 32_000),
            (".aiff", "PCM_16", 2, RATE),
        ]
    ):
        path = folder / f"original {i}{suffix}"
        soundfile.write(path, 0.1 * rng.standard_normal((rate // 4, channels)), rate, subtype=subtype)
        paths.append(path)
    for suffix, form, subtype, rate in (
        (".mp3", "MP3", "MPEG_LAYER_III", RATE),
        (".ogg", "OGG", "VORBIS", RATE),
        (".opus", "OGG", "OPUS", 48_000),
    ):
        path = folder / f"original{suffix}"
        soundfile.write(path, 0.1 * rng.standard_normal((rate // 4, 2)), rate, format=form, subtype=subtype)
        paths.append(path)
    if FFMPEG is not None:
        path = folder / "original.m4a"
        command = [FFMPEG, "-v", "error", "-i", str(paths[0]), "-c:a", "alac", str(path)]
        subprocess.run(command, check=True)
        paths.append(path)
    return paths


def _mutate(data: bytes, suffix: str, rng: random.Random) -> bytes:
    """Bytes of the header changed, removed or doubled, or the file cut off."""
    out = bytearray(data)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 4, 8))):
        place = rng.randrange(min(HEADER_BYTES[suffix], len(out)))
        kind = rng.random()
        if kind < 0.6:
            out[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        elif kind < 0.75:
            del out[place : place + rng.randrange(1, 8)]
        elif kind < 0.9:
            out[place:place] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 8)))
        else:
            out = out[: max(place, 1)]
        if not out:
            out = bytearray(b"\0")
    if rng.random() < 0.1:
        out = out[: rng.randrange(1, len(out) + 1)]
    return bytes(out)


def _options(rng: random.Random, folder: Path) -> tuple[list[str], float | None]:
    """Random options, some of them nonsense, and the ceiling that they ask for."""
    arguments: list[str] = []
    sound = ("spotify", "amazon", "ebu-r128", "keep", "-10")
    target = rng.choice((None, *sound, *sound, "-70", "loud", "nan"))
    if target is not None:
        arguments += [f"--target={target}"]
    ceiling = rng.choice((None, None, None, "-1", "-0.1", "0", "-6", "-1", "off", "1", "x"))
    if ceiling is not None:
        arguments += [f"--ceiling={ceiling}"]
    for flag, values in {
        "--bits": ("16", "24", "32f", "8"),
        "--strength": ("0", "0.5", "eq=0.3", "limiter=0", "limiter=2", "gain=nan"),
        "--skip": ("limiter", "peak_control", "dc_removal", "eq", "residual", "voice"),
        "--only": ("eq", "eq,limiter", "gain"),
        "--density": ("gentle", "dense", "0.3", "1"),
        "--max-reduction": ("0", "1", "20", "inf", "-3"),
        "--controls": (str(folder / "controls.yaml"), str(folder / "nonsense.yaml")),
    }.items():
        if rng.random() < 0.2:
            arguments += [f"{flag}={rng.choice(values)}"]
    for flag, values in {
        "--also": ("mp3:96", "opus,flac", "vorbis:80", "alac", "wav", "xyz", "mp3:7"),
        "--codec-check": ("mp3", "opus:64,vorbis", "aac", "flac", ""),
        "--codec-safe": ("mp3:64", "vorbis:64,opus:32", "mp4"),
        "--sample-rate": ("48000", "22050", "96000", "1", "44100.5"),
        "--format": ("wav", "mp3:128", "opus"),
    }.items():
        if rng.random() < 0.05:
            arguments += [f"{flag}={rng.choice(values)}"]
    for flag, values in {
        "--style": ("auto", "pop", "rock", "nosuch"),
        "--intensity": ("gentle", "3", "-1"),
        "--reference": (str(folder / "original 0.wav"), str(folder / "original 0.wav") + "=2", "nowhere.wav"),
        "--match": ("0.3", "1", "tone=1,width=0", "width=7"),
        "--word": ("warm", "bright=-0.5", "warm=9", "xyz"),
        "--bass-mono": ("20", "150", "300", "5000", "nan"),
        "--fade-in": ("0.01", "0.1:linear", "0.05:exponential", "9", "0.1:square"),
        "--fade-out": ("0.02", "0.1:cosine", "0.2:exponential", "-1"),
        "--album-gap": ("0", "0.1", "-1"),
        "--album-info": (str(folder / "info.csv"), str(folder / "nonsense.yaml")),
        "--export": ("eqapo", "jsfx,json", "dll"),
    }.items():
        if rng.random() < 0.06:
            arguments += [f"{flag}={rng.choice(values)}"]
    for flag in ("--overwrite", "--album", "-q", "--replaygain", "--trim", "--dual-mono", "--lower-only"):
        if rng.random() < 0.12:
            arguments.append(flag)
    if any(text.startswith("--album-") for text in arguments) and rng.random() < 0.8:
        arguments.append("--album")
    if ceiling is None:
        return arguments, -2.0 if target == "amazon" else -1.0
    return arguments, float(ceiling) if ceiling not in ("off", "x") else None


def _beside_each(arguments: list[str]) -> int:
    """How many files beside each master were asked for."""
    listed = ("--also=", "--export=")
    return sum(1 + text.count(",") for text in arguments if text.startswith(listed))


AUDIO = (".wav", ".flac", ".aiff", ".mp3", ".opus", ".ogg", ".m4a")


def _check_audio(path: Path, ceiling_db: float | None, is_excused: bool, label: str) -> None:
    """A whole file below its ceiling."""
    with AudioReader(path) as reader:
        samples, rate = joined(reader.blocks(), reader.channels), reader.sample_rate
    assert samples.size and np.isfinite(samples).all(), label
    if ceiling_db is not None and not is_excused:
        peak_db = true_peak_db(torch.from_numpy(samples)[None], rate).item()
        assert peak_db <= ceiling_db + 1e-6, label


def _fuzz(folder: Path, cases: int, seed: int, capsys: pytest.CaptureFixture[str]) -> int:
    """Run the cases; returns how many ended well."""
    originals = _originals(folder)
    contents = [path.read_bytes() for path in originals]
    loud = ChainControls(eq=Bands.of((EqBand("peak", 1000.0, 12.0, 1.0),)), gain_db=6.0)
    save_controls(loud, folder / "controls.yaml")
    (folder / "nonsense.yaml").write_text("eq: [1, {2: 3}]\n")
    rows = ("fuzzed,Song,DEA120300001", "second,Sång,DEA120300002")
    written = 0
    for case in range(cases):
        rng = random.Random(seed * 1_000_003 + case)
        chosen = rng.randrange(len(originals))
        suffix = originals[chosen].suffix
        source = folder / f"fuzzed{suffix}"
        source.write_bytes(_mutate(contents[chosen], suffix, rng))
        arguments, ceiling_db = _options(rng, folder)
        out, sources = folder / "out", [source]
        output = out / f"master{rng.choice(SUFFIXES)}"
        if rng.random() < 0.2:
            other = originals[rng.randrange(len(originals))]
            sources.append(folder / f"second{other.suffix}")
            sources[1].write_bytes(other.read_bytes())
            output = out
        (folder / "info.csv").write_text("\n".join(("file,title,isrc", *rows[: len(sources)])) + "\n")
        before = [hashlib.sha256(path.read_bytes()).digest() for path in sources]
        target = str(output) + ("/" if output == out else "")
        label = f"seed {seed}, case {case}: {[path.name for path in sources]} -o {target} {arguments}"
        capsys.readouterr()
        code = invoke([*map(str, sources), "-o", target, *arguments])
        err = capsys.readouterr().err
        assert "Traceback" not in err, label
        assert [hashlib.sha256(path.read_bytes()).digest() for path in sources] == before, label
        left = sorted(out.iterdir()) if out.exists() else []
        if code == 0:
            written += 1
            files = len(sources) * (1 + _beside_each(arguments))
            assert len(left) == files + 2 * ("--album" in arguments), label
        else:
            assert err.startswith(("nm-master: ", "warning: ", "fuzzed", "second")), label
            assert left == [] or len(sources) > 1, label
        for path in left:
            assert not path.name.startswith("."), label
            if path.name.endswith(AUDIO):
                # further lossy files may pass the ceiling where nobody asked them not to
                is_further = path != output and not path.name.endswith((".wav", ".flac"))
                _check_audio(path, ceiling_db, is_further or "could not be kept" in err, label)
            else:
                assert path.stat().st_size > 0, label
            path.unlink()
        for path in sources:
            path.unlink()
    return written


def test_a_hundred_mutations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = _fuzz(tmp_path, 100, 1, capsys)
    assert 5 < written < 90  # some pass, some are refused: both sides are exercised


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_thousands_of_mutations(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert 10 < _fuzz(tmp_path, 200, seed, capsys) < 190
