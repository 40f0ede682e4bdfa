"""What a render is asked to make: the song's controls and the delivery's settings, and the command for the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neural_mastering.audio_io.file_format import LOSSLESS_SUFFIXES, parse_encoding
from neural_mastering.controls import ChainControls, controls_of
from neural_mastering.rendering.delivery.plr import PlrTarget
from neural_mastering.rendering.delivery.targets import known_targets
from neural_mastering.rendering.settings import References, Settings, settings_of
from neural_mastering.studio.command_line import command_text, master_command


@dataclass(frozen=True)
class RenderRequest:
    """One master to make.

    Attributes:
        source: the song.
        controls: what is rendered, at full strength.
        settings: strengths, skipped stages and the delivery; see `delivery_settings`.
        name: of the master, without an ending.
        export: formats of presets.
        with_report: write a report page, too.
    """

    source: Path
    controls: ChainControls
    settings: Settings
    name: str
    export: tuple[str, ...] = ()
    with_report: bool = False

    @property
    def file_name(self) -> str:
        """Of the master."""
        return self.name + master_suffix(self.source, self.settings)

    @property
    def command(self) -> list[str]:
        """nm-master with the names that a person sees."""
        report = f"{self.name}_report" if self.with_report else ""
        names = (self.source.name, self.file_name, f"{self.name}.yaml")
        return master_command(*names, self.settings, self.export, report)


def master_suffix(source: Path, settings: Settings) -> str:
    """The ending of a master's name: that of its format, else of a lossless source, else .wav."""
    if settings.format is not None:
        return parse_encoding(settings.format, "--format").format.suffix
    own = source.suffix.lower()
    return own if own in LOSSLESS_SUFFIXES else ".wav"


def request_of(
    arguments: Mapping[str, Any], decision: Mapping[str, Any], references: References
) -> RenderRequest:
    """A request from plain data; controls that are null are the decided ones.

    Raises:
        InputError: controls that can't be used.
    """
    settings = settings_of(arguments["settings"])
    given = arguments["controls"]
    controls = controls_of(decision["controls"] if given is None else given)
    settings.options(references)  # checks them
    return RenderRequest(
        source=Path(arguments["source"]),
        controls=controls,
        settings=delivery_settings(settings, controls, decision["target"], decision["plr"]),
        name=arguments["name"],
        export=tuple(arguments.get("export", ())),
        with_report=bool(arguments.get("report", False)),
    )


def delivery_settings(
    settings: Settings, controls: ChainControls, target: Mapping[str, Any], plr: Mapping[str, Any] | None
) -> Settings:
    """What is left of settings once controls and target are decided: what nm-master --controls still needs.

    Args:
        settings: all of them.
        controls: decided, or edited by hand.
        target: name, lufs and ceiling_db of the decision.
        plr: plr_db and share of the decision, None where peaks are left below the ceiling.
    """
    default = Settings()
    return replace(
        settings,
        style=None,
        references=(),
        match=None,
        words={},
        intensity=default.intensity,
        target=_target(target),
        ceiling="off" if target["ceiling_db"] is None else float(target["ceiling_db"]),
        plr=None if plr is None else str(PlrTarget(**plr)),
        model=None if controls.residual is None else settings.model,
    )


def command_of(
    source: Path, asked: Mapping[str, Any], decision: Mapping[str, Any], references: References
) -> dict[str, Any]:
    """The command of a master as arguments and as one line."""
    request = request_of({**asked, "source": str(source)}, decision, references)
    return {"command": request.command, "text": command_text(request.command)}


def _target(decided: Mapping[str, Any]) -> str | float:
    """A destination keeps its name; a number, or what references suggest, stays a number."""
    if decided["lufs"] is None:
        return "keep"
    return decided["name"] if decided["name"] in known_targets() else float(decided["lufs"])
