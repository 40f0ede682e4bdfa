"""What do encoders do to the peaks of a master, and what does it cost to keep the ceiling after them?

    python -m experiments.after_the_encoder MUSIC_FOLDER [--songs 20] [--seconds 10] [--out FILE]

MUSIC_FOLDER has one folder a group (album, artist, game); one song of each group in turn is taken. Each song is
mastered to −14 and to −9 LUFS under −1 dBTP, its tone left alone, and measured after every encoder; then mastered
again with --codec-safe for that encoder. What --codec-safe promises is decoded a second time by ffmpeg.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median

import numpy as np
import soundfile

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.common.song_folders import in_turn, songs_by_group
from neural_mastering.audio_io.file_format import Encoding, parse_encoding
from neural_mastering.audio_io.reader import AudioReader
from neural_mastering.rendering.delivery.ceiling_meter import read_ceiling
from neural_mastering.rendering.delivery.deliverables import Deliverables
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.pipeline import master

ENCODINGS = ("mp3:128", "mp3:320", "vorbis:256", "opus:160", "aac:128", "aac:256")
TARGETS_LUFS = (-14.0, -9.0)
CEILING_DB = -1.0
MAX_REDUCTION_DB = 24.0
QUIETER_LU = 0.1

Row = dict[str, object]


def main() -> None:
    """One row a song, target and encoder; then the table."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--songs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0, help="this much from the middle of each song")
    parser.add_argument("--out", type=Path, help="a CSV file of all numbers")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for row in measured(arguments):
        rows.append(row)
        if arguments.out is not None:
            write_rows(arguments.out, rows)
    print_table([{key: str(value) for key, value in row.items()} for row in rows])


def measured(arguments: argparse.Namespace) -> Iterator[Row]:
    """Every song at every target, after every encoder, without and with the promise."""
    groups = {name: songs for name, songs in songs_by_group(arguments.music).items() if songs}
    encodings = [parse_encoding(text, "") for text in ENCODINGS]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for song in in_turn(groups, list(groups), arguments.songs):
            excerpt = middle(song, arguments.seconds, work / "song.wav")
            for lufs in TARGETS_LUFS:
                plain = master(
                    excerpt, work / "plain.wav", options(lufs, Deliverables(check=tuple(encodings)))
                )
                for before in plain.codecs:
                    row: Row = {"group": song.parent.name, "song": song.stem, "target_lufs": lufs}
                    row |= {"codec": before.encoding.name, "plain_lufs": plain.result.lufs}
                    row |= {"before_db": before.readings.true_peak_db, "decoded_lufs": before.readings.lufs}
                    row |= {"before_clipped": before.reading.clipped_samples}
                    yield row | kept(excerpt, work, lufs, before.encoding)
                print(song.parent.name, song.stem, lufs, flush=True)


def kept(excerpt: Path, work: Path, lufs: float, encoding: Encoding) -> Row:
    """The song under the promise, and its decoded peak by this library's decoder and by ffmpeg."""
    asked = Deliverables(also=(encoding,), safe=(encoding,))
    safe = master(excerpt, work / "safe.wav", options(lufs, asked))
    (after,) = safe.codecs
    return {
        "after_db": after.readings.true_peak_db,
        "after_over_db": after.reading.over_db,
        "after_by_ffmpeg_db": peak_by_ffmpeg(safe.copies[0], work / "by ffmpeg.wav"),
        "after_clipped": after.reading.clipped_samples,
        "lowered_db": safe.lowered_db,
        "safe_lufs": safe.result.lufs,
        "limited_by": safe.delivery.limited_by or "",
    }


def options(lufs: float, asked: Deliverables) -> Options:
    """A master whose tone is left alone."""
    return Options(
        model="none",
        target=f"{lufs:g}",
        ceiling=CEILING_DB,
        max_reduction_db=MAX_REDUCTION_DB,
        overwrite=True,
        deliverables=asked,
    )


def middle(song: Path, seconds: float, path: Path) -> Path:
    """An excerpt as a file."""
    samples, rate = soundfile.read(song, always_2d=True)
    start = max(len(samples) - round(seconds * rate), 0) // 2
    soundfile.write(path, samples[start : start + round(seconds * rate)], rate, subtype="PCM_24")
    return path


def peak_by_ffmpeg(path: Path, decoded: Path) -> float:
    """True peak in dBTP of what ffmpeg decodes."""
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-c:a", "pcm_f32le", str(decoded)]
    subprocess.run(command, check=True)
    with AudioReader(decoded) as reader:
        reading = read_ceiling(reader.blocks(), reader.sample_rate, reader.channels, np.inf)
    return reading.readings.true_peak_db


def print_table(rows: Sequence[dict[str, str]]) -> None:
    """Markdown, one row a target and encoder."""
    print(
        "| target | encoder | over −1 dBTP before | worst before, dBTP | songs with clipped samples before "
        "| over after | worst after (ffmpeg), dBTP | lowered, dB: median, mean, most | unused, dB: mean "
        "| quieter for it, LU: songs, most | loudness after the encoder, LU |"
    )
    print("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for lufs in TARGETS_LUFS:
        for codec in ENCODINGS:
            some = [row for row in rows if row["codec"] == codec and float(row["target_lufs"]) == lufs]
            if not some:
                continue

            def column(name: str, of: Sequence[dict[str, str]] = some) -> list[float]:
                return [float(row[name]) for row in of]

            lowered, change = column("lowered_db"), np.subtract(column("decoded_lufs"), column("plain_lufs"))
            quieter = np.subtract(column("plain_lufs"), column("safe_lufs"))
            spare = [-over for over, low in zip(column("after_over_db"), lowered, strict=True) if low > 0.0]
            print(
                f"| {lufs:g} | {codec} | {sum(v > CEILING_DB for v in column('before_db'))} of {len(some)} "
                f"| {max(column('before_db')):+.2f} | {sum(v > 0 for v in column('before_clipped'))} "
                f"| {sum(v > 0.0 for v in column('after_over_db'))} "
                f"| {max(column('after_db')):+.2f} ({max(column('after_by_ffmpeg_db')):+.2f}) "
                f"| {median(lowered):.2f}, {mean(lowered):.2f}, {max(lowered):.2f} "
                f"| {mean(spare) if spare else 0.0:.2f} "
                f"| {int((quieter > QUIETER_LU).sum())}, {quieter.max():.2f} | {np.abs(change).max():.2f} at most |"
            )


if __name__ == "__main__":
    main()
