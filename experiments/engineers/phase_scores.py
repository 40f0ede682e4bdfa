"""Trained phases and baselines on songs that were not trained on, by what they sound like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.common.bootstrap import mean_interval
from experiments.engineers import learned
from experiments.engineers.audio import distance, sounding
from experiments.engineers.cache import Mix, Sound, mix_of, stereo_middle
from experiments.engineers.hearing import Float64s, centred
from experiments.engineers.pairs import Pair
from experiments.engineers.phase_runs import PHASES, Entry, Work, side_of
from experiments.engineers.systems import System, average_eq, identity, nearest_pair

Render = Callable[[Entry, Float64s, int], tuple[Float64s, dict[str, Any]]]
"""From a song and its mix (time, 2) to a master, and what is said about it."""

GUESSING: Mapping[str, Callable[[Work], System]] = {
    "identity": lambda _: identity,
    "average EQ": lambda _: average_eq,
    "nearest pair": lambda _: nearest_pair,
    learned.NAME: lambda work: learned.learner(work.out),
}
SYSTEMS = (*GUESSING, *PHASES)


def judge(job: tuple[Work, str, Sequence[Entry], str]) -> list[dict[str, Any]]:
    """Rows of one system over the songs that are judged."""
    work, engineer, entries, system = job
    import torch  # in the process that uses it

    torch.set_num_threads(1)
    render = (
        _phase(work, engineer, system) if system in PHASES else _guessing(work, engineer, entries, system)
    )
    rows = []
    for entry in entries:
        if entry.part == "judge":
            audio, rate = stereo_middle(side_of(work, engineer, entry, mastered=False))
            wanted, _ = stereo_middle(side_of(work, engineer, entry, mastered=True))
            found, about = render(entry, audio, rate)
            rows.append(
                {"engineer": engineer, "system": system, "song": entry.song.name}
                | asdict(distance(found, wanted, rate))
                | about
            )
    return rows


def _guessing(work: Work, engineer: str, entries: Sequence[Entry], system: str) -> Render:
    pairs = [_pair(work, engineer, entry) for entry in entries if entry.part == "train"]
    guess = GUESSING[system](work)(pairs)

    def render(entry: Entry, audio: Float64s, rate: int) -> tuple[Float64s, dict[str, Any]]:
        return sounding(guess(mix_of(entry.song, work.out)), audio, rate), {}

    return render


def _pair(work: Work, engineer: str, entry: Entry) -> Pair:
    """As `pairs.pair_of`, measured on the audio."""
    mix: Mix = mix_of(entry.song, work.out)
    sound = Sound.of(*stereo_middle(side_of(work, engineer, entry, mastered=True)))
    curve = centred(sound.levels_db - mix.heard.levels_db)
    return Pair(mix, curve, curve, sound.level, sound.side_db - mix.side_db)


def _phase(work: Work, engineer: str, phase: str) -> Render:
    import torch  # only where a model is rendered

    from neural_mastering.dsp.energy import energy_share  # reads torch
    from neural_mastering.evaluation.trained_model import TrainedModel, render_controls  # reads torch
    from neural_mastering.models import load_model  # reads torch

    system = TrainedModel(phase, phase, load_model(work.out / engineer / phase))

    def render(_: Entry, audio: Float64s, rate: int) -> tuple[Float64s, dict[str, Any]]:
        sound = torch.from_numpy(np.ascontiguousarray(audio.T, dtype=np.float32))[None]
        tone = system.listen(sound)
        wet, dry = render_controls(tone, sound)
        share = float("nan") if dry is None else 10.0 * np.log10(float(energy_share(wet - dry, wet)) + 1e-12)
        bands = int((np.abs(tone.controls.eq.gain_db) > 0.05).sum())
        return wet[0].numpy().T.astype(np.float64), {"bands": bands, "residual_db": share}

    return render


def table_of(
    rows: Sequence[dict[str, Any]], seconds: Mapping[str, Mapping[str, float]]
) -> list[dict[str, str]]:
    """A line for each engineer and system: means over songs, MR-STFT and mel as parts of doing nothing."""
    lines = []
    for engineer in dict.fromkeys(row["engineer"] for row in rows):
        nothing = {r["song"]: r for r in rows if r["engineer"] == engineer and r["system"] == "identity"}
        for system in dict.fromkeys(row["system"] for row in rows if row["engineer"] == engineer):
            own = [r for r in rows if r["engineer"] == engineer and r["system"] == system]
            line = {"engineer": engineer, "system": system}
            for name in ("mr_stft", "mel_db", "tone_db"):
                ratio = np.array([r[name] / max(nothing[r["song"]][name], 1e-6) for r in own])
                low, high = mean_interval(ratio)
                line[f"{name}, of identity"] = f"{ratio.mean():.2f} [{low:.2f}, {high:.2f}]"
            for name in ("loudness_lu", "plr_db", "lra_lu", "side_db"):
                line[name] = f"{np.mean([r[name] for r in own]):.2f}"
            bands = [r["bands"] for r in own if "bands" in r]
            line["bands"] = f"{np.mean(bands):.1f}" if bands else ""
            share = [r["residual_db"] for r in own if np.isfinite(r.get("residual_db", np.nan))]
            line["residual, dB"] = f"{np.mean(share):.0f}" if share else ""
            line["training, s"] = f"{seconds[engineer][system]:.0f}" if system in seconds[engineer] else ""
            lines.append(line)
    return lines
