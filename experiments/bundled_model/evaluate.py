"""Held-out results: masters of the bundled model and of peers, nm-eval, and a table with intervals and tests.

    python experiments/bundled_model/evaluate.py OUT [--model NAME_OR_JSON] [--run RUN] [--peers PYTHON]

PYTHON is an interpreter that has matchering 2.0.6 and libsonare (their rows are left out without it).
"""

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shorten import shorten

from neural_mastering.evaluation.statistics import cluster_interval
from neural_mastering.reporting.table import markdown_table

METRICS = {
    "mr_stft_matched": "MR-STFT",
    "mel_distance_matched": "mel distance, dB",
    "ltas_error_matched": "third-octave LTAS error, dB",
}
DRAWS = 20_000
SHIPPED = "bundled model"

SONARE = (
    "import sys, numpy as np, soundfile as s, libsonare as l\n"
    "for line in sys.stdin:\n"
    "    source, out, _ = line.rstrip('\\n').split('\\t')\n"
    "    x, r = s.read(source, dtype='float32', always_2d=True)\n"
    "    left, right = (np.ascontiguousarray(c) for c in x.T)\n"
    "    y = l.master_audio_stereo(left, right, sample_rate=r, preset_name='pop')\n"
    "    s.write(out, np.stack([np.asarray(y.left), np.asarray(y.right)], 1), r, subtype='PCM_24')\n"
)
MATCHERING = (
    "import sys, matchering as m\n"
    "for line in sys.stdin:\n"
    "    source, out, reference = line.rstrip('\\n').split('\\t')\n"
    "    m.process(source, reference, [m.pcm24(out)])\n"
)


def render(out: Path, pairs: Path, model: str, peers: Path | None) -> dict[str, Path]:
    """A folder of masters by system, one file a test song."""
    with (pairs / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] == "test"]
    key = next(column for column in ("file", "name", "song") if column in rows[0])
    names = [Path(row[key]).stem if row[key].endswith(".flac") else row[key] for row in rows]
    groups = [row["group"] for row in rows]
    sources = [pairs / "unmastered" / f"{name}.flac" for name in names]
    folders = {SHIPPED: out / "masters" / "bundled"}
    _by_nm_master(sources, folders[SHIPPED], model)
    folders["ffmpeg loudnorm"] = _by_ffmpeg(sources, out / "masters" / "loudnorm")
    if peers is not None:
        for label, code in (("libsonare pop", SONARE), ("Matchering, song of the group", MATCHERING)):
            folder = out / "masters" / label.split()[0].lower().strip(",")
            folder.mkdir(parents=True, exist_ok=True)
            lines = []
            for i, (source, group) in enumerate(zip(sources, groups, strict=True)):
                others = [j for j, g in enumerate(groups) if g == group]
                other = others[(others.index(i) + 1) % len(others)]
                if not (folder / f"{source.stem}.wav").exists():
                    reference = pairs / "mastered" / sources[other].name
                    lines.append(f"{source}\t{folder / source.stem}.wav\t{reference}")
            if lines:
                subprocess.run([peers, "-c", code], input="\n".join(lines) + "\n", text=True, check=True)
            folders[label] = folder
    return folders


def _by_nm_master(sources: Sequence[Path], folder: Path, model: str) -> None:
    from neural_mastering.rendering import Options, master

    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        # level and limiter are left out: the table compares tone, at one loudness
        options = Options(
            target="keep",
            ceiling="off",
            skip=("limiter",),
            bits="32f",
            model=model,
            json=folder / f"{source.stem}.json",
            overwrite=True,
        )
        master(source, folder / f"{source.stem}.wav", options)


def _by_ffmpeg(sources: Sequence[Path], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if (folder / f"{source.stem}.wav").exists():
            continue
        rate = subprocess.run(
            ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate", "-of", "csv=p=0", source],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-af", "loudnorm=I=-14:TP=-1"]
        subprocess.run(
            [*command, "-ar", rate, "-c:a", "pcm_s24le", folder / f"{source.stem}.wav"], check=True
        )
    return folder


def nm_eval(pairs: Path, folders: dict[str, Path], result: Path, cache: Path, run: Path | None) -> None:
    """Run nm-eval on the test split; with a run, also the model without its leash."""
    systems = [part for name, folder in folders.items() for part in ("--systems", f"{name}={folder}")]
    command = [sys.executable, "-m", "neural_mastering.cli.evaluate", *systems]
    command += ["--checkpoint", str(run)] if run is not None else []
    command += ["--data", str(pairs), "--split", "test", "--segments", "0", "--no-ablations", "--no-peers"]
    command += ["--jobs", "2", "--out", str(result), "--overwrite", "--no-report", "--cache-dir", str(cache)]
    subprocess.run(command, check=True)


def summarise(result: Path) -> str:
    """Markdown: each system's mean, its change against the identity, and tests of the shipped model."""
    with (result / "metrics.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    systems = list(dict.fromkeys(row["name"] for row in rows))
    values: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    groups = {row["song"]: row["group"] for row in rows}
    for row in rows:
        for metric in METRICS:
            values[row["name"]][metric][row["song"]] = float(row[metric])
    songs = [s for s in groups if all(s in values[name][m] for name in systems for m in METRICS)]
    labels = [groups[song] for song in songs]

    def column(name: str, metric: str) -> NDArray[np.float64]:
        return np.array([values[name][metric][song] for song in songs])

    head = ["system"]
    for title in METRICS.values():
        head += [title, f"{title.split(',')[0]} vs identity"]
    lines = [[*head, "MR-STFT ratio to identity: median", "90 %"]]
    for name in systems:
        cells = [name]
        for metric in METRICS:
            own, nothing = column(name, metric), column("identity", metric)
            change = 100.0 * (own.mean() / nothing.mean() - 1.0)
            low, high = (100.0 * v / nothing.mean() for v in cluster_interval(own - nothing, labels))
            cells += [f"{own.mean():.3f}", f"{change:+.1f} % [{low:+.1f}, {high:+.1f}]"]
        ratio = column(name, "mr_stft_matched") / column("identity", "mr_stft_matched")
        low, high = _median_interval(ratio, labels)
        lines.append(
            [*cells, f"{np.median(ratio):.3f} [{low:.3f}, {high:.3f}]", f"{np.quantile(ratio, 0.9):.3f}"]
        )
    shipped = {}
    for metric in METRICS:
        own, nothing = column(SHIPPED, metric), column("identity", metric)
        low, high = (float(v / nothing.mean()) for v in cluster_interval(own - nothing, labels))
        shipped[metric] = {"change": float(own.mean() / nothing.mean() - 1.0), "interval": [low, high]}
    ratio = column(SHIPPED, "mr_stft_matched") / column("identity", "mr_stft_matched")
    summary = {
        "songs": len(songs),
        "groups": len(set(labels)),
        "against_identity": shipped,
        "mr_stft_ratio": {
            "median": float(np.median(ratio)),
            "90 %": float(np.quantile(ratio, 0.9)),
            "largest": float(ratio.max()),
        },
    }
    (result.parent / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    text = [
        f"{len(songs)} songs of {len(set(labels))} groups.",
        "",
        markdown_table([dict(zip(lines[0], line, strict=True)) for line in lines[1:]]),
        "",
    ]
    for other in ("identity", "average EQ*", "spectral match*", "libsonare pop"):
        if other not in systems:
            continue
        tests = {}
        for metric in METRICS:
            difference = column(SHIPPED, metric) - column(other, metric)
            tests[metric] = (difference, cluster_p(difference, labels))
        adjusted = holm([p for _, p in tests.values()])
        parts = []
        for (metric, (difference, p)), corrected in zip(tests.items(), adjusted, strict=True):
            low, high = cluster_interval(difference, labels)
            parts.append(
                f"{METRICS[metric]} {difference.mean():+.4f} [{low:+.4f}, {high:+.4f}], p = {p:.4f}, after Holm "
                f"{corrected:.4f}, better on {int((difference < 0).sum())} of {len(songs)}"
            )
        text.append(f"- {SHIPPED} against {other}: " + "; ".join(parts) + ".")
    return "\n".join(text) + "\n"


def cluster_p(difference: NDArray[np.float64], groups: Sequence[str], seed: int = 0) -> float:
    """Two-sided p of a mean of 0: the signs of whole groups are drawn anew (all of them where there are few)."""
    labels, index = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(index, weights=difference, minlength=labels.size)
    if labels.size <= 14:
        signs = 1 - 2 * ((np.arange(2**labels.size)[:, None] >> np.arange(labels.size)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], size=(DRAWS, labels.size))
    return float(np.mean(np.abs(signs @ sums) >= abs(sums.sum()) - 1e-12))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values. Source: S. Holm, Scandinavian Journal of Statistics 6(2), 1979, pp. 65–70."""
    order = np.argsort(p)
    adjusted, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        adjusted[int(i)] = running
    return adjusted


def _median_interval(values: NDArray[np.float64], groups: Sequence[str]) -> tuple[float, float]:
    labels, index = np.unique(np.asarray(groups), return_inverse=True)
    parts = [values[index == i] for i in range(labels.size)]
    rng = np.random.default_rng(0)
    medians = [
        np.median(np.concatenate([parts[i] for i in rng.integers(0, labels.size, labels.size)]))
        for _ in range(2000)
    ]
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--run", type=Path, help="also the model without its leash: run folder or checkpoint")
    parser.add_argument("--model", default="modest-eq-2", help="as for nm-master --model")
    parser.add_argument("--pairs", type=Path, help="folder of pairs (OUT/pairs)")
    parser.add_argument("--result", type=Path, help="folder of the results (OUT/eval)")
    parser.add_argument("--peers", type=Path, help="interpreter with matchering and libsonare")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each song that are compared")
    parser.add_argument("--per-group", type=int, default=3, help="songs of a group")
    arguments = parser.parse_args()
    pairs = arguments.pairs or arguments.out / "pairs"
    result = arguments.result or arguments.out / "eval"
    folders = render(result, pairs, arguments.model, arguments.peers)
    short = result / "short"
    shorten(pairs, result / "masters", short, arguments.seconds, arguments.per_group)
    folders = {name: short / "masters" / folder.name for name, folder in folders.items()}
    nm_eval(short / "pairs", folders, result / "nm-eval", result / "cache", arguments.run)
    text = summarise(result / "nm-eval")
    (result / "table.md").write_text(text)
    confidences = [
        json.loads(f.read_text())["model"] for f in sorted((result / "masters" / "bundled").glob("*.json"))
    ]
    used = [c["confidence"] for c in confidences]
    print(text)
    print(f"confidence: {min(used):.2f} to {max(used):.2f}, mean {sum(used) / len(used):.2f}")
