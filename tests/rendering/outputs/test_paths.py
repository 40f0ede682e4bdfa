"""Which files a master writes, and that none of them takes the place of another or of what it is made from."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from neural_mastering.audio_io.file_format import parse_encodings
from neural_mastering.cli.master import invoke
from neural_mastering.errors import InputError
from neural_mastering.rendering.batch import plan
from neural_mastering.rendering.delivery.deliverables import Deliverables
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.outputs.export import FORMATS
from neural_mastering.rendering.outputs.paths import output_files
from neural_mastering.rendering.pipeline import master

RATE = 44_100


@pytest.fixture
def mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second of noise with a beat in the current folder."""
    monkeypatch.chdir(tmp_path)
    beat = 0.3 + np.exp(-10 * (np.arange(RATE)[:, None] / RATE % 0.5))
    noise = 0.1 * np.random.default_rng(0).standard_normal((RATE, 2)) * beat
    for name in ("mix.wav", "other.wav"):
        soundfile.write(tmp_path / name, noise, RATE, subtype="PCM_24")
    return Path("mix.wav")


CLASHES = {
    "-o and --json": ["-o", "y.wav", "--json", "y.wav"],
    "-o and --save-controls": ["-o", "y.wav", "--save-controls", "y.wav"],
    "--also and --json": ["-o", "y.flac", "--also", "wav", "--json", "y.wav"],
    "--json and --save-controls": ["--json", "both", "--save-controls", "both"],
    "--json and --report": ["--report", "r", "--json", "r/report.json"],
    "--save-controls and --report": ["--report", "r", "--save-controls", "r/../r/REPORT.html"],
    "--export and --json": ["-o", "y.wav", "--export", "json", "--json", "y.eq.json"],
    "-o makes y.wav a file": ["-o", "y.wav", "--report", "y.wav"],
    "--json makes j a file": ["--json", "j", "--save-controls", "j/c.yaml"],
}


@pytest.mark.parametrize("clash", CLASHES)
def test_two_outputs_with_one_name_are_refused_before_work_begins(
    clash: str, mix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().rglob("*"))
    assert invoke([str(mix), "--model", "none", "--overwrite", *CLASHES[clash]]) == 2
    assert clash in capsys.readouterr().err
    assert sorted(Path().rglob("*")) == before


def test_two_options_may_not_share_one_path_object(mix: Path) -> None:
    path = Path("both")
    with pytest.raises(InputError, match="--json and --save-controls would both write both"):
        master(mix, "y.wav", Options(json=path, save_controls=path))


def test_files_of_a_batch_and_of_an_album_are_compared_with_each_other(
    mix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    songs = [str(mix), "other.wav", "-o", "out/"]
    assert invoke([*songs, "--json", "out/mix.wav"]) == 2  # a folder of that name
    assert "-o makes out/mix.wav a file" in capsys.readouterr().err
    assert invoke([*songs, "--album", "--json", "out/album.cue"]) == 2
    assert "--album makes out/album.cue a file" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["mix.wav", "-o", "other.wav", "--reference", "other.wav"], "which is a reference"),
        (["mix.wav", "-o", "y.wav", "--controls", "c.yaml", "--json", "c.yaml"], "which is the file of --controls"),
        (["mix.wav", "mix_master.wav"], "which is one of the songs"),
    ],
)  # fmt: skip
def test_overwrite_never_replaces_what_a_master_is_made_from(
    typed: list[str], expected: str, mix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write("mix_master.wav", soundfile.read(mix)[0], RATE)
    Path("c.yaml").write_text("gain_db: 1.0\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert invoke([*typed, "--overwrite"]) == 2
    assert expected in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_edited_controls_may_be_saved_under_their_own_name(mix: Path) -> None:
    plain = [str(mix), "-o", "y.wav", "--overwrite", "--save-controls", "c.yaml"]
    assert invoke([*plain, "--model", "none"]) == 0
    assert invoke([*plain, "--controls", "c.yaml"]) == 0


def test_every_file_that_is_written_is_named_beforehand(mix: Path, tmp_path: Path) -> None:
    """What is missing in the list would escape all checks."""
    options = Options(
        model="none",
        json=Path("out/numbers.json"),
        save_controls=Path("out/controls.yaml"),
        report=Path("out/page"),
        export=(*FORMATS, "json"),
        deliverables=Deliverables(also=parse_encodings(["flac", "mp3"], "--also")),
    )
    master(mix, "out/y.wav", options)
    named = output_files(Path("out/y.wav"), options)
    assert sorted(path for _, path in named) == sorted(p for p in Path("out").rglob("*") if p.is_file())
    assert [job.output for job in plan([mix], "out/y.wav", options)] == [Path("out/y.wav")]
