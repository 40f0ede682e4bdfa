"""The 200 planted faults of the study."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DELAYS_SAMPLES = (
    0.5,
    0.7,
    1.0,
    1.6,
    3.3,
    10.25,
    44.6,
    220.5,
    1000.3,
    4410.7,
    13372.1,
    22050.4,
    44100.5,
    66150.2,
    88200.0,
)
DRIFTS_PPM = (5.0, 10.0, 20.0, 50.0, 100.0)
LOOP_DELAYS_S = (0.0, 0.0, 0.0001, -0.0003, 0.011, -0.047, 0.3, -0.31, 0.5, 1.0, -1.0, 1.37, -1.93, 2.0)


@dataclass(frozen=True)
class Case:
    """What is planted in one pair.

    Attributes:
        name: of the pair.
        fault: what it is called in the table.
        kinds: problems of which one must be reported; empty for a pair without fault.
        delay_samples, drift_ppm, polarity, swapped: the truth.
        filled: silence takes the place of what the delay pushes out; else both sides are cut from longer ones.
        song: index of the song, or −1 for a synthetic loop.
    """

    name: str
    fault: str
    kinds: tuple[str, ...] = ()
    delay_samples: float = 0.0
    drift_ppm: float = 0.0
    polarity: int = 1
    swapped: bool = False
    filled: bool = False
    song: int = 0
    seed: int = 0


def all_cases(songs: int) -> list[Case]:
    """The 200 pairs, made of so many songs."""
    cases: list[Case] = []
    rng = np.random.default_rng(3)

    def add(fault: str, kinds: tuple[str, ...] = (), **truth: object) -> None:
        n = len(cases)
        settings = {"song": n % songs, "seed": n, **truth}
        cases.append(Case(f"{n:03d} {fault}", fault, kinds, **settings))  # type: ignore[arg-type]

    for _ in range(30):
        add("clean")
    for i, (size, sign) in enumerate(itertools.product(DELAYS_SAMPLES, (1, -1))):
        add("delay", ("delay",), delay_samples=sign * size, filled=i % 4 >= 2)
    for size in (
        0.5,
        0.5,
        0.6,
        0.8,
        2.5,
        30.7,
        517.3,
        5003.9,
        30000.2,
        55555.5,
        70001.5,
        88000.9,
        13372.1,
        441.1,
        7.7,
        1.2,
    ):
        add(
            "delay",
            ("delay",),
            delay_samples=float(rng.choice([-1, 1])) * size,
            filled=bool(rng.random() < 0.5),
        )
    for size, sign in itertools.product(DRIFTS_PPM * 2, (1, -1)):
        add(
            "drift",
            ("drift",),
            drift_ppm=sign * size,
            delay_samples=round(float(rng.uniform(-2000, 2000)), 1),
        )
    for _ in range(8):
        add("polarity", ("polarity",), polarity=-1)
    for _ in range(8):
        add("channels swapped", ("swapped",), swapped=True)
    for i in range(6):
        delay = round(float(rng.uniform(-3000, 3000)), 2)
        add("delay + polarity + swap", ("delay",), delay_samples=delay, polarity=-1, swapped=i % 2 == 0)
    for _ in range(6):
        add("one channel inverted", ("polarity",))
    for fault, kind in (("identical", "identical"), ("gain only", "near-identical")):
        for _ in range(4):
            add(fault, (kind,))
    for _ in range(10):
        add("other song", ("unrelated", "edit"))
    for _ in range(6):
        add("clipped", ("clipped",))
    for fault in ("silent master", "silent source"):
        for _ in range(2):
            add(fault, ("silent",))
    for _ in range(6):
        add("DC", ("dc",))
    for i in range(6):
        add("same song twice", ("duplicate",), song=i)  # the songs of the first clean pairs
    for _ in range(6):
        add("truncated", ("length",))
    for fault, kind in (("NaN", "unreadable"), ("damaged file", "unreadable"), ("missing side", "missing")):
        for _ in range(2):
            add(fault, (kind,))
    for _ in range(6):
        add("piece missing inside", ("edit",))
    for _ in range(4):
        add("48 kHz master", ("rate",))
    for i, delay_s in enumerate(LOOP_DELAYS_S):
        kinds = ("delay",) if delay_s else ()
        add("exact loop", kinds, delay_samples=delay_s * 44_100.0, song=-1, filled=True, seed=i)
    return cases


def write_manifest(cases: Sequence[Case], folder: Path) -> None:
    """Pairs of one song are one group, but for those that are planted as the same song under two names."""
    rows = ["name,group,split"]
    rows += [f"{c.name},{c.name if c.fault == 'same song twice' else f'song {c.song}'}," for c in cases]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
