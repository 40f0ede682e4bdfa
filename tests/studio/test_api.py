"""The HTTP API from upload to download, against the library called directly."""

import json
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from nm_test_studio import Studio, write_mix

from neural_mastering.controls import controls_of, load_controls
from neural_mastering.errors import InputError
from neural_mastering.metering.measure import measure
from neural_mastering.rendering import Options, suggest
from neural_mastering.rendering.options import chosen_target, stage_names
from neural_mastering.styles.library import bundled_styles


def test_the_address_is_the_only_line_on_standard_output(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project")
    assert studio.get("/songs") == []
    assert studio.stop() == ""


def test_help_answers_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys\nfrom neural_mastering.cli.invocation import invoke_command\n"
        "from neural_mastering.cli.studio import app\ncode = invoke_command(app, 'nm-studio', ['--help'])\n"
        "print(code, sorted(m for m in ('numpy', 'numba', 'torch', 'fastapi', 'uvicorn') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("0 []")


def test_the_server_loads_neither_the_renderer_nor_torch() -> None:
    code = (
        "import sys, neural_mastering.studio.server\n"
        "heavy = ('torch', 'matplotlib', 'scipy.signal', 'scipy.stats', 'neural_mastering.rendering.pipeline')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_example_of_the_documentation_works(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "studio_api.md").read_text()
    block = text.partition("```python\n")[2].partition("```")[0]
    write_mix(tmp_path / "mix.wav", seed=9)
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"token": studio.token}
    exec(block.replace("http://127.0.0.1:8123", studio.base), space)
    assert sorted(path.suffix for path in tmp_path.glob("mix_master*")) == [".wav", ".yaml"]


def test_a_song_measures_what_the_library_measures(
    studio: Studio, song: str, mix: Path, tmp_path: Path
) -> None:
    from contextlib import ExitStack

    shown = studio.get(f"/songs/{song}")
    with ExitStack() as resources:
        measured = measure(mix, tmp_path, resources)
    readings = measured.readings
    assert shown["state"] == "ready" and shown["name"] == "my mix.wav"
    assert shown["readings"]["lufs"] == pytest.approx(readings.lufs, abs=1e-9)
    assert shown["readings"]["true_peak_db"] == pytest.approx(readings.true_peak_db, abs=1e-9)
    assert shown["frames"] == readings.frames and shown["sample_rate"] == 44_100
    audio, _ = soundfile.read(mix)
    drop = 10 * np.log10((audio**2).mean() / (audio.mean(axis=1) ** 2).mean())
    assert shown["readings"]["mono_drop_db"] == pytest.approx(drop, abs=1e-6)
    lines = shown["loudness"]["short_term"]
    assert np.allclose(lines, np.round(readings.short_term_lufs, 2), atol=0.006)


def test_the_waveform_holds_the_peaks_of_the_song(studio: Studio, song: str, mix: Path) -> None:
    data = studio.client.get(f"/songs/{song}/waveform").content
    magic, version, channels, _ = struct.unpack_from("<4sIII", data)
    size, bins = struct.unpack_from("<II", data, 16)
    audio, _ = soundfile.read(mix)
    assert (magic, version, channels, size) == (b"NMWF", 1, 2, 256)
    level = np.frombuffer(data, np.int8, bins * channels * 2, 24).reshape(bins, channels, 2)
    assert bins == -(-len(audio) // 256)
    assert level[:, :, 1].max() == np.ceil(audio.max() * 127)


def test_samples_and_ranges_are_those_of_the_file(studio: Studio, song: str, mix: Path) -> None:
    audio, _ = soundfile.read(mix, dtype="float32", always_2d=True)
    answer = studio.client.get(f"/songs/{song}/pcm", params={"start": 1000, "frames": 500})
    assert np.array_equal(np.frombuffer(answer.content, "<f4").reshape(-1, 2), audio[1000:1500])
    part = studio.client.get(f"/songs/{song}/audio", headers={"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == mix.read_bytes()[100:200]
    assert part.headers["content-type"] == "audio/wav"


def test_the_spectrum_of_a_tone_stands_at_its_frequency(studio: Studio, tmp_path: Path) -> None:
    time_s = np.arange(6 * 44_100) / 44_100
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 1000 * time_s), 44_100, subtype="PCM_24")
    found = studio.get(f"/songs/{studio.upload(path)}/spectrum")
    for hz, levels in ((found["hz"], found["level_db"]), (found["fine"]["hz"], found["fine"]["level_db"])):
        loudest = max((v, f) for f, v in zip(hz, levels, strict=True) if v is not None)
        assert loudest[1] == pytest.approx(1000, rel=0.03)


def test_a_decision_is_that_of_the_library(studio: Studio, song: str, mix: Path) -> None:
    decided = studio.done(f"/songs/{song}/decide", {"style": "rock", "words": {"warm": 0.5}})
    expected = suggest(mix, style="rock", words={"warm": 0.5})
    assert controls_of(decided["controls"]) == expected.controls
    assert np.allclose(decided["curve"]["db"], expected.curve_db, atol=1e-3)
    assert decided["target"]["name"] == "spotify" and decided["target"]["lufs"] == -14.0
    assert any(note["kind"] == "words" for note in decided["notes"])


def test_three_proposals_grow_in_strength(studio: Studio, song: str) -> None:
    found = studio.done(f"/songs/{song}/proposals", {"style": "pop"})
    sizes = [np.abs(found[name]["curve"]["db"]).max() for name in ("gentle", "balanced", "strong")]
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_song_is_compared_with_a_style_and_with_another(studio: Studio, song: str, other: Path) -> None:
    beside = studio.post(f"/songs/{song}/compare", {"style": "rock"})
    assert len(beside["hz"]) == len(beside["usual_db"]) == len(beside["sd_db"]) and beside["regions"]
    alike = studio.post(f"/songs/{song}/compare", {"style": "auto"})
    assert sum(alike["kinds"].values()) == pytest.approx(1.0, abs=0.01) and not beside["kinds"]
    assert alike["level_db"] != beside["level_db"] or alike["usual_db"] != beside["usual_db"]
    reference = studio.upload(other, role="reference")
    assert reference not in studio.get("/project")["order"]
    with_it = studio.post(f"/songs/{song}/compare", {"reference": reference})
    assert with_it["usual_db"] == studio.get(f"/songs/{reference}/spectrum")["level_db"]
    for body in ({}, {"style": "rock", "reference": reference}):
        assert studio.client.post(f"/songs/{song}/compare", json=body).status_code == 422


def test_what_is_wrong_is_said_in_one_line(studio: Studio, song: str) -> None:
    for body, word in (
        ({"styel": "rock"}, "styel"),
        ({"style": "polka"}, "--style polka"),
        ({"target": "spotfy"}, "did you mean spotify"),
        ({"density": 3}, "--density 3"),
        ({"words": {"wrm": 0.5}}, "wrm"),
        ({"match": {"colour": 1.0}}, "--match"),
        ({"references": ["0123456789abcdef"]}, "reference"),
        ({"strength": {"reverb": 1.0}}, "reverb"),
        ({"intensity": "huge"}, "huge"),
        ({"bits": 16}, "bits"),
    ):
        answer = studio.client.post(f"/songs/{song}/decide", json=body)
        assert answer.status_code == 422 and list(answer.json()) == ["error"], body
        text = answer.json()["error"]
        assert word in text and "\n" not in text and "Traceback" not in text
    broken = studio.client.post(
        f"/songs/{song}/decide", content=b"{", headers={"content-type": "application/json"}
    )
    assert broken.status_code == 422 and list(broken.json()) == ["error"]
    assert studio.client.get("/songs/0123456789abcdef").status_code == 404
    assert studio.client.get("/nothing").json() == {"error": "Not Found"}


def test_a_file_that_is_no_audio_fails_with_its_reason(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("hello " * 1000)
    added = studio.client.post("/songs", params={"name": path.name}, content=path.read_bytes()).json()
    state = studio.wait(added["job"])
    assert state["state"] == "failed" and "can't be read as audio" in state["error"]
    shown = studio.get(f"/songs/{added['id']}")
    assert shown["state"] == "failed" and shown["error"] == state["error"]
    refused = studio.client.post(f"/songs/{added['id']}/decide", json={})
    assert refused.status_code == 422 and refused.json()["error"] == state["error"]
    assert studio.client.delete(f"/songs/{added['id']}").status_code == 200
    assert studio.client.get(f"/songs/{added['id']}").status_code == 404


def test_the_same_content_is_one_song(studio: Studio, song: str, mix: Path) -> None:
    again = studio.client.post("/songs", params={"name": "renamed.wav"}, content=mix.read_bytes()).json()
    assert again == {"id": song, "job": None}


def test_sections_are_those_of_the_renderer(studio: Studio) -> None:
    from neural_mastering.controls import Bands, ChainControls, EqBand

    controls = ChainControls(eq=Bands.of([EqBand("peak", 1000.0, 4.0, 1.0)]), gain_db=-2.0)
    found = studio.post("/sections", {"controls": controls.as_dict(), "sample_rate": 96_000})
    sections = controls.eq_sections(96_000)
    assert np.allclose(found["stages"][0]["sos"], np.delete(sections, 3, axis=1))
    assert found["stages"][1]["gain"] == pytest.approx(10 ** (-2 / 20))


def test_a_newer_preview_replaces_the_one_before(studio: Studio, song: str) -> None:
    body = {"start": 0, "frames": 6 * 44_100, "settings": {"target": -12}}
    studio.done(f"/songs/{song}/decide", {"target": -12})
    answers: list[httpx.Response] = []

    def ask() -> None:
        with httpx.Client(
            base_url=studio.base, timeout=60, headers={"Authorization": f"Bearer {studio.token}"}
        ) as c:
            answers.append(c.post(f"/songs/{song}/preview", json=body))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    codes = [answer.status_code for answer in answers]
    assert 200 in codes and set(codes) <= {200, 409} and codes.count(409) >= 3
    heard = next(a for a in answers if a.status_code == 200)
    assert len(heard.content) == 6 * 44_100 * 8
    meters = studio.get(f"/songs/{song}/preview/meters")
    assert meters["gain_db"] == pytest.approx(float(heard.headers["x-nm-gain-db"]))


def test_jobs_are_told_as_events_and_can_be_cancelled(studio: Studio, tmp_path: Path) -> None:
    long = studio.upload(write_mix(tmp_path / "long.wav", seconds=60.0, seed=5))
    job = studio.post(f"/songs/{long}/render", {"settings": {"also": ["mp3", "opus"]}})["id"]
    states: list[str] = []
    with studio.client.stream("GET", f"/jobs/{job}/events") as events:
        for line in events.iter_lines():
            if not line.startswith("data: "):
                continue
            state: dict[str, Any] = json.loads(line.removeprefix("data: "))
            states.append(state["state"])
            if state["step"] == "rendering":
                assert studio.client.delete(f"/jobs/{job}").status_code == 200
    assert states[-1] == "cancelled" and "running" in states
    again = studio.wait(studio.post(f"/songs/{long}/render", {"settings": {}})["id"])
    assert again["state"] == "done", "the worker goes on after a cancelled job"


def test_controls_come_back_as_a_file_and_as_presets(studio: Studio, song: str, tmp_path: Path) -> None:
    controls = studio.done(f"/songs/{song}/decide", {"style": "rock"})["controls"]
    answer = studio.client.post(f"/songs/{song}/export", json={"controls": controls, "format": "controls"})
    path = tmp_path / "back.yaml"
    path.write_bytes(answer.content)
    assert load_controls(path) == controls_of(controls)
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''my%20mix.yaml"
    for form, word in (("eqapo", b"Filter"), ("camilladsp", b"filters"), ("jsfx", b"desc:"), ("json", b"{")):
        answer = studio.client.post(f"/songs/{song}/export", json={"controls": controls, "format": form})
        assert answer.status_code == 200 and word in answer.content
    wrong = studio.client.post(f"/songs/{song}/export", json={"controls": controls, "format": "../x"})
    assert wrong.status_code == 422


def test_the_catalogue_offers_what_the_options_take(studio: Studio) -> None:
    found = studio.get("/catalogue")
    for target in found["targets"]:
        spec = chosen_target(Options(target=target["name"]))
        assert (spec.lufs, spec.ceiling_db) == (target["lufs"], target["ceiling_db"])
    for word in found["words"]:
        Options(words={word["word"]: word["high"]})
        with pytest.raises(InputError):
            Options(words={word["word"] + "?": word["high"]})
    assert found["strengths"] == list(stage_names())
    for style in found["styles"]:
        Options(style=style["name"])
    assert {style["name"] for style in found["styles"]} == {"auto", *bundled_styles()}


def test_the_api_describes_itself(studio: Studio) -> None:
    page = studio.client.get("/docs")
    described = studio.get("/openapi.json")
    assert "/songs/{song}/decide" in described["paths"] and "/songs/{song}/decide" in page.text
    assert "http://" not in page.text and "https://" not in page.text
    properties = described["components"]["schemas"]["Settings"]["properties"]
    assert "max_reduction_db" in properties and "max_reduction_db" in page.text
