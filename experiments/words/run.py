"""Do words do what they say? Fits, monotony, round trip, survival through dynamics, and agreement with people.

    python experiments/words/run.py MUSIC_FOLDER [--socialeq CSV] [--safe CSV] [--songs 8] [--out FOLDER]

MUSIC_FOLDER holds one folder a group (album, game) with finished songs, WAV or FLAC at 44.1 kHz; one song a group
is taken, the first by name. The raw files are one's own copies; without them the part about people is left out.
Rows go to OUT/rows.csv, the tables to OUT/tables.md.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from neural_mastering.controls import ChainControls, save_controls
from neural_mastering.rendering import Options, master
from neural_mastering.rendering.metering.meter import Meter
from neural_mastering.rendering.reference.profile import EMPTY_DB, Spectrum
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.from_words import apply_words
from neural_mastering.words import request, word_table
from neural_mastering.words.fit import fit_shape, judged
from neural_mastering.words.raw_files import Contribution, read_safe, read_socialeq
from neural_mastering.words.shape import CENTRES_HZ, HEARD

RATE = 44_100
STRENGTHS = (-1.0, -0.5, 0.5, 1.0)
TARGETS_LUFS = (-14.0, -9.0)
COMPRESSOR = {
    **{"threshold_db": -5.0, "ratio": 2.0, "attack_ms": 10.0, "release_ms": 150.0, "knee_db": 6.0},
    **{"makeup_db": 0.0, "mix": 1.0, "sidechain_hz": 0.0, "link_max": 0.0},
}
"""In front of the limiter in the study of survival: about 3 to 6 dB of reduction in loud moments."""

Audio = NDArray[np.float64]
Row = dict[str, str | float]


def main() -> None:
    """All studies, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path, help="a folder with one folder a group")
    parser.add_argument("--socialeq", type=Path, help="SocialEQ's eq_contributions.csv")
    parser.add_argument("--safe", type=Path, help="SAFEEqualiserUserData.csv")
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0, help="from the middle of each song")
    parser.add_argument("--out", type=Path, default=Path("runs/words"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.perf_counter(), time.process_time()
    pieces = dict(chosen(arguments.music, arguments.songs, arguments.seconds))
    if len(pieces) < arguments.songs:
        sys.exit(f"{arguments.music}: expected {arguments.songs} groups with a song, got {len(pieces)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    tables = [f"Songs: {', '.join(pieces)}.", *fits()]
    rows, changes = renders({"pink noise": pink(arguments.seconds), **pieces})
    tables += [*monotony(rows), *round_trip(changes)]
    survived = survival(pieces)
    tables += survival_table(survived)
    if arguments.socialeq and arguments.safe:
        tables += people(read_socialeq(arguments.socialeq), read_safe(arguments.safe))
    write_rows(arguments.out / "rows.csv", rows + survived)
    wall, busy = (
        now - then for now, then in zip((time.perf_counter(), time.process_time()), started, strict=True)
    )
    tables += ["", f"{busy:.0f} s of one core, {wall:.0f} s by the clock."]
    text = "\n".join(tables)
    (arguments.out / "tables.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def chosen(folder: Path, count: int, seconds: float) -> Iterator[tuple[str, Audio]]:
    """(name, (channel, time)) of one song in each of the groups, from its middle."""
    found = 0
    for group in sorted(path for path in folder.iterdir() if path.is_dir()):
        songs = sorted(f for f in group.iterdir() if f.suffix.lower() in (".flac", ".wav"))
        for song in songs:
            info = soundfile.info(song)
            if info.samplerate != RATE or info.duration < 2.0 * seconds or info.channels != 2:
                continue
            start = int(0.5 * (info.duration - seconds) * RATE)
            yield f"{group.name}/{song.stem}", samples_of(song, start, int(seconds * RATE))
            found += 1
            break
        if found == count:
            return


def samples_of(file: Path, start: int = 0, frames: int = -1) -> Audio:
    """(channel, time)."""
    audio, _ = soundfile.read(file, frames=frames, start=start, dtype="float64", always_2d=True)
    return np.array(audio.T, dtype=np.float64, order="C")


def pink(seconds: float) -> Audio:
    """Stereo noise with equal power in every octave."""
    rng = np.random.default_rng(0)
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal((2, count)))
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    spectrum[:, 0] = 0.0
    audio = np.fft.irfft(spectrum, count)
    return 0.1 * audio / audio.std()


def fits() -> list[str]:
    """Six bands against each shape; −s against s; 0."""
    lines = ["", "## Fit", "", "| word | RMS error, dB | max error, dB | mirror, dB |", "|---|--:|--:|--:|"]
    for word in word_table().words.values():
        bands = fit_shape(word.shape_db)
        found = judged(bands, word.shape_db)
        mirror = 0.0
        for s in (0.25, 0.5, 1.0):
            up, down = (fit_shape(sign * s * word.shape_db).level_db(CENTRES_HZ, RATE) for sign in (1, -1))
            mirror = max(mirror, float(np.abs(up + down).max()))
        zero = speak_one(word.name, 0.0)
        assert zero is None, "strength 0 must ask for nothing"
        lines.append(f"| {word.name} | {found.rms_db:.3f} | {found.max_db:.3f} | {mirror:.1e} |")
    return lines


def speak_one(word: str, strength: float) -> ChainControls | None:
    """Controls of one word for a song with a flat spectrum; None where nothing is asked for."""
    asked = request({word: strength})
    return None if asked.is_empty else apply_words(ChainControls(), asked, (CENTRES_HZ, 0.0 * CENTRES_HZ), -20.0)[0]


def spectrum_of(audio: Audio) -> NDArray[np.float64]:
    """Mean power of each third octave."""
    meter = Spectrum(RATE, len(audio))
    meter.push(audio)
    return meter.finish()


def lufs_of(audio: Audio) -> float:
    """Integrated loudness."""
    meter = Meter(RATE, len(audio), with_true_peak=False)
    meter.push(audio)
    return meter.finish().lufs


def filled(powers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Third octaves from 50 Hz on that hold sound."""
    levels = 10.0 * np.log10(powers + 1e-15)
    return HEARD & (levels > np.sort(levels)[-3:].mean() + EMPTY_DB)


def projection(change_db: NDArray[np.float64], shape: NDArray[np.float64], used: NDArray[np.bool_]) -> float:
    """How much of a shape is in a change of the spectrum: 1 is strength 1; level left out."""
    a, b = change_db[used] - change_db[used].mean(), shape[used] - shape[used].mean()
    return float(a @ b / (b @ b))


def correlation(a: NDArray[np.float64], b: NDArray[np.float64], used: NDArray[np.bool_]) -> float:
    """Over the third octaves that hold sound."""
    return float(np.corrcoef(a[used], b[used])[0, 1])


def renders(
    sounds: dict[str, Audio],
) -> tuple[list[Row], list[tuple[str, str, NDArray[np.float64], NDArray[np.bool_]]]]:
    """Every word at every strength on every sound: projection on its own shape, change of loudness."""
    rows: list[Row] = []
    changes = []
    for name, audio in sounds.items():
        meter = Spectrum(RATE, len(audio))
        meter.push(audio)
        powers, lufs = meter.finish(), lufs_of(audio)
        used = filled(powers)
        for word in word_table().words.values():
            for strength in STRENGTHS:
                asked = request({word.name: strength})
                controls, _ = apply_words(ChainControls(), asked, meter.bins(), lufs)
                out = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), [audio])), axis=1)
                change = 10.0 * np.log10((spectrum_of(out) + 1e-15) / (powers + 1e-15))
                rows.append(
                    {
                        "study": "projection",
                        "sound": name,
                        "word": word.name,
                        "strength": strength,
                        "projection": projection(change, word.shape_db, used),
                        "loudness_change_lu": lufs_of(out) - lufs,
                    }
                )
                if strength == 0.5 and name != "pink noise":
                    changes.append((name, word.name, change, used))
    return rows, changes


def monotony(rows: Sequence[Row]) -> list[str]:
    """Is the projection strictly monotone in s (with 0 at s = 0), and how near to s is it?"""
    by_case: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    loudness: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_case[str(row["sound"]), str(row["word"])][float(row["strength"])] = float(row["projection"])
        loudness[str(row["sound"])].append(abs(float(row["loudness_change_lu"])))
    lines = ["", "## Monotony and loudness", ""]
    lines.append(
        "| sound | monotone words | projection at s = 1 | at s = −1 | largest change of loudness, LU |"
    )
    lines.append("|---|--:|--:|--:|--:|")
    for sound, changed in loudness.items():
        cases = [{**found, 0.0: 0.0} for (name, _), found in by_case.items() if name == sound]
        good = sum(bool(np.all(np.diff([case[s] for s in sorted(case)]) > 0.0)) for case in cases)
        ends = [
            minus(f"{min(c[s] for c in cases):.2f} to {max(c[s] for c in cases):.2f}") for s in (1.0, -1.0)
        ]
        lines.append(f"| {sound} | {good}/{len(cases)} | {ends[0]} | {ends[1]} | {max(changed):.2f} |")
    return lines


def round_trip(
    changes: Sequence[tuple[str, str, NDArray[np.float64], NDArray[np.bool_]]],
) -> list[str]:
    """Name the nearest shape of what was measured at s = 0.5."""
    table = word_table().words
    hits = np.zeros(4)
    chances = np.zeros(4)
    for _, word, change, used in changes:
        order = sorted(table, key=lambda name: -correlation(change, table[name].shape_db, used))
        same = {word, *(name for name, _ in table[word].neighbours)}
        hits += [order[0] == word, word in order[:3], order[0] in same, bool(same & set(order[:3]))]
        count, alike = len(table), len(same)
        miss3 = np.prod([(count - alike - i) / (count - i) for i in range(3)])
        chances += [1 / count, 3 / count, alike / count, 1.0 - miss3]
    shares, chance = 100.0 * hits / len(changes), 100.0 * chances / len(changes)
    names = ("top 1", "top 3", "top 1, synonyms count", "top 3, synonyms count")
    lines = ["", "## Round trip at strength 0.5", "", "| | right | chance |", "|---|--:|--:|"]
    return lines + [
        f"| {name} | {share:.1f} % | {luck:.1f} % |"
        for name, share, luck in zip(names, shares, chance, strict=True)
    ]


def survival(pieces: dict[str, Audio]) -> list[Row]:
    """The difference that a word at strength 1 makes to the finished master, behind compressor and limiter."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, audio in pieces.items():
            lufs, source, chain = lufs_of(audio), folder / "song.wav", folder / "chain.yaml"
            soundfile.write(source, audio.T, RATE, subtype="FLOAT")
            stage = {**COMPRESSOR, "input_lufs": lufs}
            save_controls(ChainControls(stages={"compressor": stage}), chain)
            for target in TARGETS_LUFS:

                def mastered(words: dict[str, float], chain: Path = chain, target: float = target) -> Row:
                    options = Options(
                        target=f"{target:g}",
                        controls=chain,
                        words=words,
                        max_reduction_db=24.0,
                        overwrite=True,
                    )
                    result = master(folder / "song.wav", folder / "master.wav", options)
                    return {
                        "lufs": result.result.lufs,
                        "limiter_db": float(result.delivered.reduction_db.max()),
                    }

                mastered({})
                plain = spectrum_of(samples_of(folder / "master.wav"))
                used = filled(plain)
                for word in word_table().words.values():
                    reached = mastered({word.name: 1.0})
                    styled = spectrum_of(samples_of(folder / "master.wav"))
                    change = 10.0 * np.log10((styled + 1e-15) / (plain + 1e-15))
                    rows.append(
                        {
                            "study": "survival",
                            "sound": name,
                            "word": word.name,
                            "target_lufs": target,
                            "correlation": correlation(change, word.shape_db, used),
                            "projection": projection(change, word.shape_db, used),
                            **reached,
                        }
                    )
    return rows


def survival_table(rows: Sequence[Row]) -> list[str]:
    """Mean and worst over songs."""
    lines = ["", "## Survival through compressor and limiter, strength 1", ""]
    lines.append(
        "| target | reached, LUFS | limiter at most, dB | correlation with the shape: mean (worst) | projection: "
        "mean (least) |"
    )
    lines.append("|---|--:|--:|--:|--:|")
    for target in TARGETS_LUFS:
        own = [row for row in rows if row["target_lufs"] == target]
        lufs, most, kept, size = (
            np.array([float(row[key]) for row in own])
            for key in ("lufs", "limiter_db", "correlation", "projection")
        )
        row = (
            f"| {target:g} LUFS | {lufs.min():.1f} to {lufs.max():.1f} | {np.median(most):.1f} (median), "
            f"{most.max():.1f} | {kept.mean():.3f} ({kept.min():.3f}) | {size.mean():.2f} ({size.min():.2f}) |"
        )
        lines.append(minus(row))
    return lines


def people(socialeq: Sequence[Contribution], safe: Sequence[Contribution]) -> list[str]:
    """Held-out correlation by word and the choice between warm and bright."""
    sys.path.insert(0, str(Path(__file__).parent))
    import people as humans  # beside this file

    from neural_mastering.words.derive import derive, mean_curve
    from neural_mastering.words.shape import unit_shape
    from neural_mastering.words.table import Word

    rng = np.random.default_rng(0)
    table = derive(socialeq, safe)
    mixes = [row for row in safe if row.on_mix]
    of_source = {"socialeq": list(socialeq), "safe": list(safe), "safe_mixes": mixes}
    lines = ["", "## Held-out correlation with people", ""]
    lines.append(
        "| word | people | ours, held out | half of the others | one other person | random words | halves with "
        "each other |"
    )
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    sums: dict[str, list[float]] = defaultdict(list)
    for name, word in table.words.items():
        rows = [row for row in of_source[word.evidence.source] if row.word == name]
        others = [row for row in of_source[word.evidence.source] if row.word != name]
        found = humans.held_out(rows, others, rng)
        found["halves"] = humans.split_half(rows, rng)
        for key, value in found.items():
            sums[key].append(value)
        count = len(humans.people_of(rows))
        cells = " | ".join(f"{found[key]:.2f}" for key in ("ours", "half", "person", "random", "halves"))
        lines.append(f"| {name} | {count} | {minus(cells)} |")
    means = " | ".join(f"{np.mean(sums[key]):.2f}" for key in ("ours", "half", "person", "random", "halves"))
    lines.append(f"| mean | | {minus(means)} |")
    social = {}
    for name in ("warm", "bright"):
        shape = unit_shape(mean_curve([row for row in socialeq if row.word == name]))
        social[name] = Word(name, shape, table.words[name].evidence, "supported", None, ())
    warm, bright = ([row for row in mixes if row.word == name] for name in ("warm", "bright"))
    lines += ["", "## Warm or bright? Contributions on full mixes (SAFE)", ""]
    lines += ["| predictor | right, of contributions | right, mean over people |", "|---|--:|--:|"]
    lines += [
        f"| {name} | {100 * share:.1f} % | {100 * mean:.1f} % |"
        for name, share, mean in humans.two_way(warm, bright, social, rng)
    ]
    return lines


def minus(text: str) -> str:
    """Numbers with a proper minus."""
    return text.replace("-", "−")


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """All rows as CSV."""
    fields = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
