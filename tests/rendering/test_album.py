"""Albums: songs that join stay joined, gaps, order and tags from a CSV file, CUE sheet and playlist."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC

from neural_mastering.cli.master import invoke
from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.rendering.album_info import is_barcode

RATE = 44_100
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def master(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = invoke([*map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return master


@pytest.fixture(scope="module")
def concert() -> np.ndarray:
    """9 s without a pause: noise with beats, and a tone that any step would break."""
    time = np.arange(9 * RATE)[:, None] / RATE
    noise = 0.03 * np.random.default_rng(9).standard_normal((time.size, 2))
    beats = 0.3 + 2.0 * np.exp(-10 * (time % 0.5))
    return noise * beats + 0.2 * np.sin(2 * np.pi * 110 * time + [0.0, 0.4])


def parts(concert: np.ndarray, folder: Path, cuts: tuple[int, ...]) -> list[Path]:
    paths = []
    for i, piece in enumerate(np.split(concert, cuts)):
        paths.append(folder / f"part {i + 1}.wav")
        soundfile.write(paths[-1], piece, RATE, subtype="PCM_24")
    return paths


@pytest.mark.parametrize("cuts", [(4 * RATE + 123,), (2 * RATE + 1007, 5 * RATE + 4321)])
@pytest.mark.parametrize("options", [(), ("--sample-rate", "48000"), ("--controls", "c.yaml")])
def test_parts_of_one_recording_join_without_a_click(
    cuts: tuple[int, ...], options: tuple[str, ...], concert: np.ndarray, run: Run, tmp_path: Path
) -> None:
    """So loud that the limiter works across the seams; the files, put together, are the master of the whole."""
    (tmp_path / "c.yaml").write_text(
        "design_rate_hz: 44100\neq:\n  - {kind: low_shelf, frequency_hz: 150, gain_db: 6, q: 0.7}\n"
        "stages: {compressor: {threshold_db: -6, ratio: 2, attack_ms: 20, release_ms: 200, knee_db: 6, "
        "makeup_db: 0, mix: 1, input_lufs: -17}}\n"
    )
    asked = [str(tmp_path / text) if text.endswith(".yaml") else text for text in options]
    if "--controls" not in asked:
        asked += ["--model", "none"]
    asked += ["--target", "-9", "--bits", "32f"]
    paths = parts(concert, tmp_path, cuts)
    code, said = run(*paths, "-o", f"{tmp_path / 'album'}/", "--album", *asked)
    assert code == 0 and "in one piece" in said
    soundfile.write(tmp_path / "whole.wav", concert, RATE, subtype="PCM_24")
    assert run(tmp_path / "whole.wav", "-o", tmp_path / "master.wav", *asked)[0] == 0
    together = [soundfile.read(tmp_path / "album" / path.name)[0] for path in paths]
    whole, rate = soundfile.read(tmp_path / "master.wav")
    joined = np.concatenate(together)
    assert joined.shape == whole.shape
    # the ceiling is a few hundredths lower where a file ends in the middle of a wave
    assert np.abs(joined - whole).max() < 0.03
    seams = np.cumsum([len(piece) for piece in together])[:-1]
    curve = np.abs(np.diff(joined - whole, axis=0)).max(axis=1)
    assert max(curve[seam - 1] for seam in seams) <= max(2e-4, np.quantile(curve, 0.999))
    for piece in together:
        import torch

        assert true_peak_db(torch.from_numpy(piece.T)[None], rate).item() <= -1.0 + 1e-6
    if rate != RATE:
        return  # converted one by one, they have other lengths
    # one by one they do not join: this test would notice
    alone = [tmp_path / f"alone {i}.wav" for i in range(len(paths))]
    for path, out in zip(paths, alone, strict=True):
        run(path, "-o", out, *asked)
    apart = np.concatenate([soundfile.read(path)[0] for path in alone])
    steps = np.abs(np.diff(apart - whole, axis=0)).max(axis=1)
    assert max(steps[seam - 1] for seam in seams) > 5 * max(curve[seam - 1] for seam in seams)


def test_songs_that_join_keep_controls_of_their_own(concert: np.ndarray, run: Run, tmp_path: Path) -> None:
    """Songs 1 and 2 have the same settings and join; those of song 3 are others, and it is told so."""
    paths = parts(concert, tmp_path, (3 * RATE, 6 * RATE))
    (tmp_path / "c").mkdir()
    for path, gain_db in zip(paths, (0, 0, 12), strict=True):
        text = "design_rate_hz: 44100\neq:\n  - {kind: high_shelf, frequency_hz: 1000, gain_db: %d, q: 0.7}\n"
        (tmp_path / "c" / f"{path.stem}.yaml").write_text(text % gain_db)
    out = tmp_path / "album"
    code, said = run(*paths, "-o", f"{out}/", "--album", "--controls", tmp_path / "c", "--target", "-30")
    assert code == 0 and said.count("in one piece") == 2 and said.count("the seam may be heard") == 1
    high_db = []
    for path in paths:
        spectrum = np.abs(np.fft.rfft(soundfile.read(out / path.name)[0][:, 0])) ** 2
        hz = np.fft.rfftfreq(3 * RATE, 1 / RATE)
        low, high = spectrum[(hz > 50) & (hz < 300)].sum(), spectrum[hz > 5_000].sum()
        high_db.append(10 * np.log10(high / low))
    assert abs(high_db[1] - high_db[0]) < 1.0 and abs(high_db[2] - high_db[1] - 12.0) < 1.0


def test_songs_with_silence_between_them_are_not_joined(
    concert: np.ndarray, run: Run, tmp_path: Path
) -> None:
    fade = np.clip(np.minimum(np.arange(3 * RATE), np.arange(3 * RATE)[::-1]) / 4_000, 0, 1)[:, None]
    for i in range(2):
        soundfile.write(tmp_path / f"{i}.wav", concert[: 3 * RATE] * fade, RATE, subtype="PCM_24")
    asked = ("-o", f"{tmp_path / 'a'}/", "--album", "--model", "none")
    code, said = run(tmp_path / "0.wav", tmp_path / "1.wav", *asked)
    assert code == 0 and "in one piece" not in said


def test_other_songs_with_hard_cuts_are_not_joined(concert: np.ndarray, run: Run, tmp_path: Path) -> None:
    """The step between them is smaller than twice those beside it; the halves of one recording still join."""
    time = np.arange(3 * RATE)[:, None] / RATE
    noise = 0.03 * np.random.default_rng(3).standard_normal((time.size, 2))
    other = np.cumsum(noise, axis=0) * 0.1 + 0.2 * np.sin(2 * np.pi * 210 * time)
    halves = concert[: 3 * RATE], concert[3 * RATE : 6 * RATE]
    other += halves[1][-1] + [0.06, -0.04] - other[0]
    assert np.abs(other[0] - halves[1][-1]).max() < 2.0 * np.abs(np.diff(halves[1][-800:], axis=0)).max()
    paths = [tmp_path / f"{name}.wav" for name in "abc"]
    for path, piece in zip(paths, (*halves, other), strict=True):
        soundfile.write(path, 0.5 * piece, RATE, subtype="PCM_24")
    out = tmp_path / "album"
    code, said = run(*paths, "-o", f"{out}/", "--album", "--album-gap", "2", "--model", "none")
    assert code == 0 and said.count("in one piece") == 2
    seconds = [soundfile.info(out / path.name).frames / RATE for path in paths]
    assert seconds == pytest.approx([3.0, 5.0, 3.0], abs=0.01)


def test_peaks_of_an_album_are_lowered_song_by_song(concert: np.ndarray, run: Run, tmp_path: Path) -> None:
    """--plr brings each song's peaks down and leaves its loudness; --plr off and none are the same."""
    songs = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for path, piece, gain in zip(songs, np.split(concert, 2), (1.0, 0.5), strict=True):
        soundfile.write(path, np.pad(gain * piece, ((RATE // 2, RATE // 2), (0, 0))), RATE, subtype="PCM_24")
    fixed = ("--album", "--model", "none", "--target", "-24", "--density", "dense", "--bits", "32f")

    def album(*asked: str) -> list[np.ndarray]:
        out = tmp_path / "-".join(("to", *asked))
        code, said = run(*songs, "-o", f"{out}/", *fixed, *asked)
        assert code == 0 and ("asked for: 5.0 dB" in said) == (asked == ("--plr", "5"))
        return [soundfile.read(out / path.name)[0] for path in songs]

    left, off, lower = album(), album("--plr", "off"), album("--plr", "5")
    for i in range(2):
        assert np.array_equal(left[i], off[i])
        (before, old), (after, new) = (_peak_and_loudness(audio[i]) for audio in (left, lower))
        assert before - old > 7.0 and 4.0 < after - new < 5.1  # a limiter may stay below its ceiling
        assert new == pytest.approx(old, abs=0.1)


def _peak_and_loudness(audio: np.ndarray) -> tuple[float, float]:
    """dBTP and LUFS of (time, channel)."""
    import torch

    batch = torch.from_numpy(audio.T)[None]
    return true_peak_db(batch, RATE).item(), integrated_loudness(batch, RATE).item()


@pytest.mark.parametrize("gap_s", [0.0, 0.5, 2.0])
def test_gaps_are_as_long_as_asked(gap_s: float, concert: np.ndarray, run: Run, tmp_path: Path) -> None:
    """Whatever silence the files had; none before the first song nor behind the last."""
    fade = np.clip(np.minimum(np.arange(3 * RATE), np.arange(3 * RATE)[::-1]) / 4_000, 0, 1)[:, None]
    music = concert[: 3 * RATE] * fade
    for i, (before, behind) in enumerate([(0.3, 1.0), (0.0, 0.2), (0.7, 3.0)]):
        pieces = [np.zeros((round(before * RATE), 2)), music, np.zeros((round(behind * RATE), 2))]
        soundfile.write(tmp_path / f"{i}.wav", np.concatenate(pieces), RATE, subtype="PCM_24")
    songs = [tmp_path / f"{i}.wav" for i in range(3)]
    code, _ = run(*songs, "-o", f"{tmp_path / 'a'}/", "--album", "--album-gap", gap_s, "--model", "none")
    assert code == 0
    lengths = [soundfile.info(tmp_path / "a" / f"{i}.wav").frames / RATE for i in range(3)]
    assert lengths == pytest.approx([3.0 + gap_s, 3.0 + gap_s, 3.0], abs=0.01)
    first = soundfile.read(tmp_path / "a" / "0.wav")[0]
    silent = len(first) - 1 - np.flatnonzero(np.abs(first).max(axis=1) > 1e-4)[-1]
    assert silent / RATE == pytest.approx(gap_s, abs=0.02)


def test_a_csv_gives_order_and_tags(concert: np.ndarray, run: Run, tmp_path: Path) -> None:
    paths = parts(concert, tmp_path, (4 * RATE,))
    (tmp_path / "info.csv").write_text(
        "file;title;artist;isrc;upc;album\n"
        'part 2;"Zwei ""2""";Wer;de-a12-03-00002;4006381333931;Live: A/B\n'
        "part 1.wav;Eins;Wer;DEA120300001;4006381333931;Live: A/B\n"
    )
    out = tmp_path / "album"
    asked = ("--format", "flac", "--album", "--album-info", tmp_path / "info.csv", "--model", "none")
    code, _ = run(*paths, "-o", f"{out}/", *asked)
    assert code == 0
    first, second = FLAC(out / "part 2.flac"), FLAC(out / "part 1.flac")
    assert (first["title"], first["tracknumber"], first["isrc"]) == (['Zwei "2"'], ["1/2"], ["DEA120300002"])
    assert (second["title"], second["barcode"]) == (["Eins"], ["4006381333931"])
    sheet = (out / "Live_ A_B.cue").read_text("utf-8").splitlines()
    assert sheet[:3] == ["CATALOG 4006381333931", 'PERFORMER "Wer"', 'TITLE "Live: A/B"']
    tracks = ["".join(line.split()) for line in sheet if line.startswith(("FILE", "    ISRC", "    INDEX"))]
    assert tracks == [
        'FILE"part2.flac"WAVE',
        "ISRCDEA120300002",
        "INDEX0100:00:00",
        'FILE"part1.flac"WAVE',
        "ISRCDEA120300001",
        "INDEX0100:00:00",
    ]
    playlist = (out / "Live_ A_B.m3u8").read_text("utf-8").splitlines()
    assert playlist[0] == "#EXTM3U" and playlist[2::2] == ["part 2.flac", "part 1.flac"]
    code, said = run(*paths, "-o", f"{out}/", *asked)
    assert code == 2 and "exists" in said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("title\nEins\n", "column 'file'"),
        ("file,isrc\npart 1,XX\npart 2,\n", "no ISRC"),
        ("file,upc\npart 1,4006381333932\npart 2,\n", "no UPC"),
        ("file,title\npart 1,Eins\n", "no row for part 2.wav"),
        ("file,title\npart 1,a\npart 2,b\npart 3,c\n", "no song of this name"),
        ("file,title\npart 1,a\npart 1.wav,b\npart 2,c\n", "two rows"),
        ("file,title\npart 1,a,b,c\npart 2,b\n", "more values than columns"),
        ("file,track\npart 1,one\npart 2,2\n", "expected a number"),
        ("", "expected a line of column names"),
    ],
)
def test_mistakes_in_the_csv_get_one_line(
    text: str, word: str, concert: np.ndarray, run: Run, tmp_path: Path
) -> None:
    paths = parts(concert[:RATE], tmp_path, (RATE // 2,))
    (tmp_path / "info.csv").write_text(text)
    code, said = run(
        *paths,
        "-o",
        f"{tmp_path / 'a'}/",
        "--album",
        "--album-info",
        tmp_path / "info.csv",
        "--model",
        "none",
    )
    assert code == 2 and word in said and len(said.splitlines()) == 1
    assert not list((tmp_path / "a").glob("*")) if (tmp_path / "a").exists() else True


@pytest.mark.parametrize("digits", ["036000291452", "4006381333931", "9780201379624"])
def test_barcodes(digits: str) -> None:
    """Examples with their published check digits; every other last digit is wrong."""
    assert is_barcode(digits)
    assert sum(is_barcode(digits[:-1] + str(last)) for last in range(10)) == 1
    assert not is_barcode(digits[1:-1]) and not is_barcode("")
