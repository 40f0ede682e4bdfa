"""Make the bundled styles.

python -m experiments.styles MUSIC_FOLDER [--measured FILE] [--out FOLDER]

MUSIC_FOLDER holds a manifest.csv (file, package, version, source_path, licence, gain_db) and its songs. Packages
that are held out for evaluation (`test` in experiments/common/sources.yaml) and bundled demo songs stay out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from experiments.common.command_line import parser_of
from experiments.common.csv_files import write_rows
from experiments.styles.measured_songs import Work, groups, works_of
from experiments.styles.published import published_styles
from neural_mastering.dsp.third_octaves import CENTRES_HZ
from neural_mastering.styles.learn import LearnedStyle, learn_style
from neural_mastering.styles.profile import StyleProfile
from neural_mastering.styles.style_file import save_style

HERE = Path(__file__).parent
LEAST_SONGS, LEAST_PACKAGES = 25, 6
NOBODY = "Nobody listened: songs were chosen by package and title."
LICENCE = (
    "CC0-1.0 (statistics carry no audio; experiments/styles/works.csv lists the works and their licences)"
)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--measured", type=Path, help="keep measurements in this JSON file")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("neural_mastering/assets/styles"))
    parser.add_argument("--sources", type=Path, default=Path("experiments/common/sources.yaml"))
    arguments = parser.parse_args()
    sources = yaml.safe_load(arguments.sources.read_text("utf-8"))
    every = works_of(arguments.music, arguments.measured, arguments.jobs)
    works = [work for work in every if not _is_held_out(work, sources)]
    print(f"{len(works)} of {len(every)} songs, {len(groups(works))} packages; the rest is held out")
    general = _learn(
        "general", "Music of all kinds from free games, measured on 60-second excerpts.", works, None
    )
    kinds = yaml.safe_load((HERE / "kinds.yaml").read_text("utf-8"))
    styles, used = [general.profile], {"general": set(general.songs)}
    for name, kind in kinds.items():
        chosen = [work for work in works if _is_of(work, kind["songs"])]
        _check_titles(works, kind["songs"])
        learned = _learn(name, kind["about"], chosen, general.profile)
        packages = Counter(song.split("/")[0] for song in learned.songs)
        if len(learned.songs) < LEAST_SONGS or len(packages) < LEAST_PACKAGES:
            print(f"{name}: only {len(learned.songs)} songs of {len(packages)} packages; not bundled")
            continue
        styles.append(learned.profile)
        used[name] = set(learned.songs)
    styles += published_styles(HERE / "published.csv", general.profile)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for style in styles:
        save_style(style, arguments.out / f"{style.name}.json")
        print(_line(style))
    _write_works(works, used)


def _learn(name: str, about: str, works: Sequence[Work], general: StyleProfile | None) -> LearnedStyle:
    size = Counter(work.package for work in works)
    # as many songs as the square root of a package's: its songs are alike
    share = [size[work.package] ** -0.5 for work in works]
    learned = learn_style(name, [work.song for work in works], general, share)
    for note in learned.notes:
        if note.kind != "odd":
            print(f"{name}: {note.text}")
    packages = sorted({song.split("/")[0] for song in learned.songs})
    profile = replace(
        learned.profile,
        lufs=None,  # games set their own level; it says nothing about records
        sources=(f"{len(learned.songs)} songs of {len(packages)} Debian packages: {', '.join(packages)}",),
        licence=LICENCE,
        about=f"{about} {NOBODY}",
    )
    return replace(learned, profile=profile)


def _is_held_out(work: Work, sources: dict) -> bool:
    return work.package in sources["test"] or work.title.lower() in sources["bundled"].get(work.package, [])


def _is_of(work: Work, songs: dict) -> bool:
    chosen = songs.get(work.package, [])
    return chosen == "all" or work.title in chosen


def _check_titles(works: Sequence[Work], songs: dict) -> None:
    have = {(work.package, work.title) for work in works}
    for package, titles in songs.items():
        missing = [] if titles == "all" else [title for title in titles if (package, title) not in have]
        if missing:
            print(f"not found in {package}: {', '.join(missing)}")


def _line(style: StyleProfile) -> str:
    sigma = style.tone.sigma[style.tone.known]
    plr = f", PLR {style.plr_db.mean:.1f} ± {style.plr_db.sd:.1f} dB" if style.plr_db else ""
    slope = np.polyfit(np.log2(CENTRES_HZ[6:26]), style.tone.mean[6:26], 1)[0]
    return (
        f"{style.name:16} {style.songs:4d} songs, {int(style.tone.known.sum())} bands, spread {sigma.min():.1f} to "
        f"{sigma.max():.1f} dB, {slope:.1f} dB per octave from 100 Hz to 8 kHz{plr}"
    )


def _write_works(works: Sequence[Work], used: dict[str, set[str]]) -> None:
    rows = [
        {
            "package": work.package,
            "version": work.version,
            "source": work.source,
            "licence": work.licence,
            "styles": " ".join(name for name, songs in used.items() if work.song.name in songs),
        }
        for work in sorted(works, key=lambda work: (work.package, work.source))
    ]
    write_rows(HERE / "works.csv", rows)


if __name__ == "__main__":
    main()
