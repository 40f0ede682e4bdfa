"""What is to be done: songs that are new or changed, and nothing that is done already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neural_mastering.batch.digests import Digests
from neural_mastering.batch.errors import PASSING
from neural_mastering.batch.names import master_names
from neural_mastering.batch.request import BatchRequest
from neural_mastering.batch.results import ResultRecord
from neural_mastering.batch.song import Song
from neural_mastering.batch.sound_version import sound_version
from neural_mastering.batch.storage import is_url, stamps_of
from neural_mastering.batch.work import Places, Work

DONE, GIVEN_UP = "done", "failed before"
REASONS = (
    "new",
    "file changed",
    "options changed",
    "other version",
    "name changed",
    "master missing",
    "failed, tried again",
)
"""Why a song is to be done."""


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        works: in the order of the manifest.
        reasons: how many songs are done for which reason, or left for which.
        names: of the masters by id.
    """

    works: tuple[Work, ...]
    reasons: Mapping[str, int]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def songs(self) -> int:
        """That are to be done."""
        return sum(len(work.songs) for work in self.works)

    @property
    def missing(self) -> tuple[Song, ...]:
        """Songs to be done that have no file now."""
        return tuple(
            song
            for work in self.works
            for song, stamp in zip(work.songs, work.stamps, strict=True)
            if stamp is None
        )


def plan(request: BatchRequest, records: Mapping[str, ResultRecord], digests: Digests) -> Plan:
    """Compare the manifest with what is done.

    A song is done when its file (by size and time, else by content), the options, the version and the name of its
    master are those of its row, and the master is there. An album is done when all its songs are.

    Args:
        request: of the batch.
        records: of earlier runs.
        digests: of files that were read before.
    """
    names = master_names(request.songs)
    units = _shard(_units(request.songs), request.shard)
    stamps = stamps_of(song.location for unit in units for song in unit)
    there = _masters_there(request, units, records)
    choose = _Chooser(request, records, digests, names, stamps, there)
    works: list[Work] = []
    reasons: dict[str, int] = dict.fromkeys((DONE, GIVEN_UP, *REASONS), 0)
    for unit in units:
        reason, work = choose(unit)
        reasons[reason] += len(unit)
        if work is not None:
            works.append(work)
    return Plan(tuple(works), {name: count for name, count in reasons.items() if count}, names)


class _Chooser:
    """Decides about one unit at a time."""

    def __init__(
        self,
        request: BatchRequest,
        records: Mapping[str, ResultRecord],
        digests: Digests,
        names: Mapping[str, str],
        stamps: Mapping[str, str | None],
        there: Mapping[str, bool],
    ) -> None:
        self._request, self._records, self._digests = request, records, digests
        self._names, self._stamps, self._there = names, stamps, there
        self._version = sound_version()
        self._base = _digest(_files_of(request.settings, digests))
        scratch = request.out / "scratch" if request.scratch is None else request.scratch
        self._places = Places(
            request.masters_place,
            str(scratch.absolute()),
            str(request.out / "reports") if request.reports else None,
            request.limits.download_bytes,
        )
        self._settings: dict[tuple[str | None, str | None], dict[str, Any]] = {}
        self._options: dict[tuple[str | None, ...], str] = {}

    def __call__(self, unit: tuple[Song, ...]) -> tuple[str, Work | None]:
        options = self._options_of(unit)
        reasons = [self._reason(song, options) for song in unit]
        reason = next((r for r in reasons if r not in (DONE, GIVEN_UP)), None)
        if reason is None:
            return (GIVEN_UP if GIVEN_UP in reasons else DONE), None
        return reason, Work(
            kind=self._request.kind,
            songs=unit,
            names=tuple(self._names[song.id] for song in unit),
            stamps=tuple(self._stamps[song.location] for song in unit),
            settings=self._settings_of(unit[0]),
            options=options,
            version=self._version,
            places=self._places,
            time_limit_s=self._request.limits.time_s * len(unit),
            function=self._request.function,
        )

    def _reason(self, song: Song, options: str) -> str:
        record = self._records.get(song.id)
        if record is None:
            return "new"
        if record.options != options:
            return "options changed"
        if record.version != self._version and not self._request.any_version:
            return "other version"
        stamp = self._stamps[song.location]
        if record.stamp != stamp and not self._is_same_content(song, record, stamp):
            return "file changed"
        if record.status != "done":
            retry = self._request.retry
            again = retry == "failed" or (retry == "passing" and record.error_kind in PASSING)
            return "failed, tried again" if again else GIVEN_UP
        if self._request.kind != "master":
            return DONE
        if record.master is None or _without_suffix(record.master) != self._names[song.id]:
            return "name changed"
        return DONE if self._there.get(song.id, True) else "master missing"

    def _is_same_content(self, song: Song, record: ResultRecord, stamp: str | None) -> bool:
        """The file was only copied or touched."""
        if stamp is None or record.content is None or is_url(song.location):
            return False
        return self._digests.of(song.location) == record.content

    def _settings_of(self, song: Song) -> dict[str, Any]:
        own = (song.target, song.style)
        if own not in self._settings:
            given = {"target": song.target, "style": song.style}
            said = {name: value for name, value in given.items() if value is not None}
            self._settings[own] = {**self._request.settings, **said}
        return self._settings[own]

    def _options_of(self, unit: tuple[Song, ...]) -> str:
        """Digest of kind, settings, the files that they name, and, for an album, of its songs in their order."""
        song = unit[0]
        own = (song.target, song.style, song.reference)
        if own not in self._options:
            files = [self._digests.of(place) for place in (song.style, song.reference) if place is not None]
            self._options[own] = _digest(
                [self._request.kind, self._request.reports, self._base, own[:2], files]
            )
        if song.album is None:
            return self._options[own]
        return _digest([self._options[own], [(s.id, self._stamps[s.location]) for s in unit]])


def _units(songs: Sequence[Song]) -> list[tuple[Song, ...]]:
    """Singles alone, the songs of an album together at the place of its first."""
    units: dict[tuple[str, str], list[Song]] = {}
    for song in songs:
        units.setdefault(("single", song.id) if song.album is None else ("album", song.album), []).append(
            song
        )
    return [tuple(unit) for unit in units.values()]


def _shard(units: list[tuple[Song, ...]], shard: tuple[int, int] | None) -> list[tuple[Song, ...]]:
    return units if shard is None else units[shard[0] - 1 :: shard[1]]


def _masters_there(
    request: BatchRequest, units: Sequence[tuple[Song, ...]], records: Mapping[str, ResultRecord]
) -> dict[str, bool]:
    """Which of the masters that were made are still there, at their size."""
    if request.kind != "master":
        return {}
    made = {s.id: r for unit in units for s in unit if (r := records.get(s.id)) is not None and r.master}
    places = {own: f"{request.masters_place}/{record.master}" for own, record in made.items()}
    stamps = stamps_of(places.values())
    return {own: _size(stamps[place]) == made[own].master_bytes for own, place in places.items()}


def _size(stamp: str | None) -> float | None:
    return None if stamp is None else float(stamp.partition(":")[0])


def _without_suffix(master: str) -> str:
    return master[: len(master) - len(Path(master).suffix)]


def _files_of(settings: Mapping[str, Any], digests: Digests) -> list[Any]:
    """The settings, and the content of the files among them."""
    named = [str(settings[name]) for name in ("style", "controls", "model") if settings.get(name)]
    named += [str(model) for model in settings.get("models", ())]
    named += [_reference(value) for value in settings.get("references", ())]
    files = [digests.of(str(Path(name).absolute())) for name in named if Path(name).exists()]
    return [dict(sorted(settings.items())), files]


def _reference(value: str) -> str:
    """A file, without its weight."""
    return value if Path(value).exists() else value.rpartition("=")[0]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
