"""What the worker can do, by name: plain data in, plain data out."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile

from neural_mastering.atomic import write_bytes
from neural_mastering.rendering.outputs.numbers import finite
from neural_mastering.rendering.settings import References, Settings, settings_of
from neural_mastering.rendering.tone.choose import choose_tone
from neural_mastering.studio.decision_files import Decision, kept_decision
from neural_mastering.studio.decisions import decide
from neural_mastering.studio.measured_songs import AnalysedSong, MeasuredSongs
from neural_mastering.studio.measurement import measure_song
from neural_mastering.studio.pcm import PcmCache
from neural_mastering.studio.preview import RegionRenderer
from neural_mastering.studio.render_requests import request_of
from neural_mastering.studio.renders import render_album, render_master
from neural_mastering.studio.residuals import residual_of
from neural_mastering.styles.compare import compare_file
from neural_mastering.styles.intensity import INTENSITIES_DB


class TaskProgress(Protocol):
    """Is told what is being done."""

    def __call__(self, step: str, share: float | None = None) -> None:
        """A word for the step, and how much of the task is done, 0 to 1, where that is known."""
        ...


Arguments = Mapping[str, Any]
Task = Callable[[Arguments, TaskProgress], Any]

_SONGS = MeasuredSongs()


def _measure(arguments: Arguments, progress: TaskProgress) -> Any:
    progress("measuring")
    return measure_song(_SONGS, Path(arguments["source"]), Path(arguments["folder"]))


def _decide(arguments: Arguments, progress: TaskProgress) -> Decision:
    return _decision(arguments, arguments["settings"], progress)


def _proposals(arguments: Arguments, progress: TaskProgress) -> dict[str, Decision]:
    found = {}
    for number, name in enumerate(INTENSITIES_DB):
        progress(name, number / len(INTENSITIES_DB))
        found[name] = _decision(arguments, {**arguments["settings"], "intensity": name}, progress)
    return found


def _compare(arguments: Arguments, progress: TaskProgress) -> Any:
    progress("comparing")
    return finite(compare_file(Path(arguments["source"]), arguments["style"]).to_dict())


def _preview(arguments: Arguments, progress: TaskProgress) -> dict[str, Any]:
    """Render a stretch into the file `out`; gives what its meters read."""
    progress("rendering")
    request = request_of(
        arguments, _decision(arguments, arguments["settings"], progress), _references(arguments)
    )
    song = _song(arguments)
    residual = residual_of(song, request.controls, request.settings)
    renderer = RegionRenderer(PcmCache(arguments["audio"]), song.measured.forecast, residual=residual)
    region = renderer.render(
        request.controls,
        request.settings.options(),
        arguments["start"],
        arguments["frames"],
        arguments["solo"],
        tuple(arguments["bypass"]),
    )
    write_bytes(Path(arguments["out"]), region.to_bytes())
    meters = {
        "start": region.start,
        "frames": len(region.audio),
        "gain_db": region.gain_db,
        "lufs": region.lufs,
        "before_lufs": region.before_lufs,
        "reduction_db": region.reduction_db,
    }
    return finite(meters)


def _render(arguments: Arguments, progress: TaskProgress) -> dict[str, Any]:
    request = request_of(
        arguments, _decision(arguments, arguments["settings"], progress), _references(arguments)
    )
    return render_master(request, Path(arguments["out"]), progress)


def _album(arguments: Arguments, progress: TaskProgress) -> dict[str, Any]:
    requests = []
    for song in arguments["songs"]:
        decision = _decision(song, song["settings"], progress)
        if song["settings"].get("plr") is None:
            decision["plr"] = None  # the peaks of references are followed by songs alone, as by nm-master
        requests.append(request_of(song, decision, _references(song)))
    return render_album(requests, Path(arguments["out"]), progress, arguments["gap_s"], arguments["info"])


def _song(arguments: Arguments) -> AnalysedSong:
    return _SONGS.get(Path(arguments["source"]), Path(arguments["folder"]))


def _decision(arguments: Arguments, settings: Mapping[str, Any], progress: TaskProgress) -> Decision:
    asked, references = settings_of(settings).at_full_strength(), _references(arguments)
    folder = Path(arguments["folder"])
    return kept_decision(asked, references, folder) or decide(
        _song(arguments), asked, references, folder, lambda step: progress(step)
    )


def _references(arguments: Arguments) -> References:
    return tuple((Path(path), float(weight)) for path, weight in arguments["references"])


TASKS: Mapping[str, Task] = {
    "measure": _measure,
    "decide": _decide,
    "proposals": _proposals,
    "compare": _compare,
    "preview": _preview,
    "render": _render,
    "album": _album,
}


def _warm_up_measuring() -> None:
    """Load compiled code and the tables of decisions by measuring noise."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.wav"
        noise = 0.1 * np.random.default_rng(0).standard_normal((5 * 44_100, 2))
        soundfile.write(path, noise, 44_100)
        song = MeasuredSongs(1).get(path, Path(folder))
        choose_tone(song.measured, Settings(style="auto").options(), lambda _: None)


def _warm_up_stages() -> None:
    """Load the devices of the chain, which need torch."""
    importlib.import_module("neural_mastering.processors")


WARM_UPS: Sequence[Callable[[], None]] = (_warm_up_measuring, _warm_up_stages)
"""What an idle worker does for the requests to come, the most urgent first."""
