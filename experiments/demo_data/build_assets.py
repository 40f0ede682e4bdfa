"""Re-encode the demo excerpts for the package and write their manifest.csv.

    python -m experiments.demo_data.build_assets MUSIC_FOLDER [OUT_FOLDER]

MUSIC_FOLDER holds eight FLAC excerpts and a manifest.csv with the columns file, package, licence, source,
start_s and gain_db. Ogg Vorbis at quality 0.9 (about 320 kb/s), nothing else changed.
"""

from pathlib import Path

import numpy as np
import soundfile
import torch

from experiments.common.command_line import parser_of
from experiments.common.csv_files import read_rows, write_rows
from neural_mastering.dsp.loudness import integrated_loudness

ASSETS = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo"
QUALITY = 0.9
NAMES = {
    "s1_electronic": ("Final Step", "Saber Rastikerdar"),
    "s2_dnb": ("Twilight Area (original by Alf42red)", "CapDan (Der Daniel), after Alf42red (Armin Heller)"),
    "s3_rock": ("Freedoom Phase 1, E1M1", "Contributors to the Freedoom project"),
    "s4_orchestral": ("Forest Theme (Flare)", "Clint Bellanger and others (music: Brandon Morris)"),
    "s5_house": ("Garden (SuperTuxKart)", "DJHelium"),
    "s6_cinematic": ("Battle Theme 1 (SuperTuxKart)", "Typhon306"),
    "s7_synth": ("Automat (Naev)", "Nikola Whallon"),
    "s8_folk": ("Harvest Festival (0 A.D.)", "Wildfire Games"),
}
"""Title and artist, from the packages' copyright files and credits."""

COLUMNS = (
    "file",
    "title",
    "artist",
    "package",
    "licence",
    "source",
    "start_s",
    "duration_s",
    "gain_db",
    "lufs",
)


def build(music: Path, out: Path) -> None:
    """Re-encode the excerpts of a folder into another one and write its manifest."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for source in read_rows(music / "manifest.csv"):
        name = source["file"].removesuffix(".flac").removesuffix("_mix").removesuffix("_master")
        title, artist = NAMES[name]
        audio, rate = soundfile.read(music / source["file"], dtype="float64", always_2d=True)
        encode(out / f"{name}.ogg", audio, rate)
        decoded, _ = soundfile.read(out / f"{name}.ogg", dtype="float64", always_2d=True)
        if decoded.shape != audio.shape:
            raise SystemExit(f"{name}: {audio.shape} became {decoded.shape}")
        lufs = float(integrated_loudness(torch.from_numpy(np.ascontiguousarray(decoded.T))[None], rate)[0])
        error_db = 20 * np.log10(np.std(decoded - audio) / np.std(audio))
        print(f"{name}: {lufs:.3f} LUFS, peak {np.abs(decoded).max():.3f}, coding error {error_db:.1f} dB")
        rows.append(
            {
                "file": f"{name}.ogg",
                "title": title,
                "artist": artist,
                "package": source["package"],
                "licence": source["licence"],
                "source": source["source"],
                "start_s": source["start_s"],
                "duration_s": f"{len(audio) / rate:g}",
                "gain_db": source["gain_db"],
                "lufs": f"{lufs:.4f}",
            }
        )
    write_rows(out / "manifest.csv", rows, COLUMNS)
    print(f"{sum(path.stat().st_size for path in out.glob('*.ogg')) / 1e6:.2f} MB")


def encode(path: Path, audio: np.ndarray, rate: int) -> None:
    """Write Ogg Vorbis in blocks: libsndfile's encoder overflows its stack on one long write."""
    with soundfile.SoundFile(
        path, "w", rate, audio.shape[1], format="OGG", subtype="VORBIS", compression_level=1.0 - QUALITY
    ) as out:
        for start in range(0, len(audio), 4096):
            out.write(audio[start : start + 4096])


def main() -> None:
    """Build the demo songs of the package."""
    parser = parser_of(__doc__)
    parser.add_argument("music", type=Path, metavar="MUSIC_FOLDER")
    parser.add_argument("out", type=Path, metavar="OUT_FOLDER", nargs="?", default=ASSETS)
    arguments = parser.parse_args()
    build(arguments.music, arguments.out)


if __name__ == "__main__":
    main()
