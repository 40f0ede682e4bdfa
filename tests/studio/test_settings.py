"""Everything that nm-master can do has a setting, and settings become the very arguments that it takes."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
import typer

from neural_mastering.cli.master import app
from neural_mastering.cli.master_options import master_options, names
from neural_mastering.controls import ChainControls
from neural_mastering.errors import InputError
from neural_mastering.rendering.options import Options
from neural_mastering.rendering.settings import Settings, settings_of
from neural_mastering.studio.command_line import flag_of, master_command, settings_arguments
from neural_mastering.studio.render_requests import delivery_settings

SERVERS_OWN = {
    "songs": "uploads",
    "--output": "the name of a render",
    "--controls": "controls",
    "--album": "/album/render",
    "--album-gap": "gap_s of /album/render",
    "--album-info": "info of /album/render",
    "--jobs": "the server's workers",
    "--report": "a render's report",
    "--json": "a render's summary",
    "--save-controls": "a render's controls",
    "--export": "a render's presets",
    "--overwrite": "renders have folders of their own",
    "--quiet": "events",
    "--list-targets": "/catalogue",
    "--list-words": "/catalogue",
}
"""What the API has elsewhere."""

FULL = Settings(
    style="rock",
    match={"tone": 0.5, "width": 0.25, "dynamics": 0.1, "loudness": 1.0},
    words={"warm": 0.5, "bright": -0.25},
    intensity=1.5,
    target=-11.123456789,
    ceiling=-1.25,
    density="dense",
    max_reduction_db=4.5,
    plr="9.0:0.6",
    strength={"eq": 0.5, "limiter": 0.75},
    overall_strength=0.9,
    skip=("dc_removal",),
    only=("eq", "stereo", "limiter"),
    model="none",
    bits="16",
    format="flac",
    also=("mp3:320", "opus"),
    codec_check=("vorbis",),
    codec_safe=("mp3:128",),
    replaygain=True,
    sample_rate_hz=48_000,
    trim=True,
    fade_in=0.25,
    fade_out="8:linear",
    bass_mono_hz=120.5,
    dual_mono=True,
    lower_only=True,
)


def parsed(arguments: list[str]) -> Options:
    """What nm-master makes of its arguments."""
    command: Any = typer.main.get_command(app)
    given = command.make_context("nm-master", list(arguments)).params
    lists = {name: given.pop(name) or [] for name in ("reference", "match", "word", "strength")}
    for name in (
        "songs",
        "output",
        "album",
        "album_gap",
        "album_info",
        "jobs",
        "quiet",
        "list_targets",
        "list_words",
    ):
        given.pop(name)
    given["max_reduction_db"], given["sample_rate_hz"] = given.pop("max_reduction"), given.pop("sample_rate")
    given["format"], given["bass_mono_hz"] = given.pop("form"), given.pop("bass_mono")
    for name in ("skip", "only", "also", "codec_check", "codec_safe"):
        given[name] = names(given[name])
    given["export"] = names([given["export"]] if given["export"] else None)
    return master_options(**lists, **given)


def test_every_option_has_a_setting() -> None:
    command: Any = typer.main.get_command(app)
    flags = {max(each.opts, key=len) for each in command.params if each.name != "help"}
    covered = {flag_of(each.name) for each in fields(Settings)}
    assert flags - set(SERVERS_OWN) == covered
    assert set(SERVERS_OWN) <= flags


def test_every_setting_arrives_as_typed(tmp_path: Path) -> None:
    reference = tmp_path / "a=b.wav"
    reference.touch()
    full = replace(FULL, references=(f"{reference}=2.5",))
    for each in fields(Settings):  # none of them may be at its default, or this would show nothing
        assert getattr(full, each.name) != getattr(Settings(), each.name), each.name
    options = parsed(["x.wav", *settings_arguments(full)])
    assert isinstance(options.ceiling, str)  # what is typed stays text; both mean the same
    assert replace(options, ceiling=float(options.ceiling)) == full.options(((reference, 2.5),))


@pytest.mark.parametrize("value", [-14.0, -0.1, 1e-7, 0.1 + 0.2])
def test_numbers_arrive_exactly(value: float) -> None:
    options = parsed(
        ["x.wav", *settings_arguments(Settings(words={"warm": value / 100}, intensity=abs(value) / 4))]
    )
    assert options.words == {"warm": value / 100} and options.intensity_db == abs(value) / 4


def test_defaults_are_those_of_the_command_line() -> None:
    assert parsed(["x.wav"]) == Settings().options() == Options()


def test_a_command_states_the_loudness() -> None:
    command = master_command(
        "-a.wav", "b.wav", "c.yaml", Settings(target=-14.0, ceiling="off"), ["jsfx"], "r"
    )
    assert command[:5] == ["nm-master", "-o", "b.wav", "--controls", "c.yaml"] and command[-2:] == [
        "--",
        "-a.wav",
    ]
    assert "--target" in command and "--ceiling" in command and "--density" in command
    options = parsed(["x.wav", *command[3:-2]])
    assert (options.target, options.ceiling, options.export, options.report) == (
        "-14.0",
        "off",
        ("jsfx",),
        Path("r"),
    )


def test_plain_data_and_back() -> None:
    import json

    assert settings_of(json.loads(json.dumps(asdict(FULL)))) == FULL
    with pytest.raises(InputError, match="unknown setting 'loud'"):
        settings_of({"loud": 1})


def test_a_render_keeps_every_setting_of_the_delivery() -> None:
    controls = ChainControls()
    target = {"name": "-11.1 LUFS", "lufs": FULL.target, "ceiling_db": FULL.ceiling}
    kept = delivery_settings(FULL, controls, target, {"plr_db": 9.0, "share": 0.6})
    decided = {"style", "references", "match", "words", "intensity", "model"}
    for each in fields(Settings):
        if each.name not in decided:
            assert getattr(kept, each.name) == getattr(FULL, each.name), each.name


def test_an_album_keeps_the_tone_of_its_songs() -> None:
    song = Settings(style="pop", words={"warm": 0.5}, target=-9.0, format="mp3")
    assert Settings(target=-12.0).with_tone_of(song) == Settings(
        style="pop", words={"warm": 0.5}, target=-12.0
    )
    assert Settings(style="rock").with_tone_of(song) == Settings(style="rock", words={"warm": 0.5})


def test_an_album_has_one_delivery() -> None:
    """A song's own strengths and skipped stages hold for its chain; the delivery is the album's."""
    song = Settings(strength={"eq": 0.5, "limiter": 0.5}, skip=("stereo", "dc_removal"))
    assert Settings().with_tone_of(song) == Settings(strength={"eq": 0.5}, skip=("stereo",))
    album = Settings(skip=("peak_control",)).with_tone_of(Settings(only=("eq",)))
    assert album.skip == ("peak_control",) and album.only[0] == "eq"
    options = album.options()
    shares = {
        name: options.share_of(name) for name in ("eq", "stereo", "dc_removal", "peak_control", "limiter")
    }
    assert shares == {"eq": 1.0, "stereo": 0.0, "dc_removal": 1.0, "peak_control": 0.0, "limiter": 1.0}


def test_a_decision_is_about_full_strength() -> None:
    """What the delivery leaves out stays out."""
    weak = Settings(overall_strength=0.2, strength={"eq": 0.5, "limiter": 0.5}, skip=("eq", "dc_removal"))
    assert weak.at_full_strength() == Settings(strength={"limiter": 0.5}, skip=("dc_removal",))
    assert Settings(only=("eq", "limiter")).at_full_strength() == Settings(
        skip=("dc_removal", "peak_control")
    )
