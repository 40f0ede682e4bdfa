"""One engineer from a folder of pairs: audit, measure, fit, validate, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neural_mastering import __version__
from neural_mastering.engineer.bundle import FILE_NAME, write_engineer
from neural_mastering.engineer.fit import LEAST_PAIRS, SONG_DEPENDENT_PAIRS
from neural_mastering.engineer.learned import LearnedEngineer
from neural_mastering.engineer.pair import PairMeasurement
from neural_mastering.errors import InputError
from neural_mastering.learning.card import write_card
from neural_mastering.learning.cross_validation import Validation, fold_of
from neural_mastering.learning.drift import drift
from neural_mastering.learning.listening import ListeningSong, chosen_songs, listening_song
from neural_mastering.learning.page import LearnPage, write_learn_page
from neural_mastering.learning.pairs import FOLDER, AuditedPair, audited_pairs, usable
from neural_mastering.learning.validated_fit import UnlikePair, fit_validated
from neural_mastering.learning.words import worse
from neural_mastering.notes import Note
from neural_mastering.worker_pool import default_jobs

PAGE, CARD = "report.html", "MODEL_CARD.md"

Progress = Callable[[str, int], AbstractContextManager[Callable[[Any], None]]]
"""Title and number of steps to a context that gives a function to call after each."""


def _silent(title: str, total: int) -> AbstractContextManager[Callable[[Any], None]]:
    """No progress is shown."""
    return nullcontext(lambda _: None)


@dataclass(frozen=True)
class LearnSettings:
    """How an engineer is learned.

    Attributes:
        folds: most fits of the cross-validation.
        listening_songs: held-out songs that can be heard on the page; 0 for none.
        check_swapped: refuse folders whose sides look exchanged.
    """

    folds: int = 10
    listening_songs: int = 3
    check_swapped: bool = True


@dataclass(frozen=True)
class LearnedFolder:
    """What came of a folder of pairs.

    Attributes:
        engineer: that was learned.
        pairs: all of the folder.
        validation: on songs that were not learned from; None where there were too few.
        notes: what a person should know.
        model: the engineer's file.
        seconds: that each step took.
    """

    engineer: LearnedEngineer
    pairs: tuple[AuditedPair, ...]
    validation: Validation | None
    notes: tuple[Note, ...]
    model: Path
    seconds: dict[str, float] = field(default_factory=dict)


def learn_folder(
    folders: Sequence[str | Path],
    output: Path,
    settings: LearnSettings | None = None,
    jobs: int = 0,
    progress: Progress = _silent,
) -> LearnedFolder:
    """Learn an engineer from folders of pairs and write the bundle.

    Args:
        folders: each with unmastered/ and mastered/.
        output: folder of the results; measurements are kept there.
        settings: of the fit and the validation.
        jobs: processes; 0 for one a core.
        progress: shows how far a step is.

    Raises:
        InputError: anything that the user can put right; no model is written then.
    """
    settings = settings or LearnSettings()
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    sets: list[list[AuditedPair]] = []
    for folder in folders:
        from neural_mastering.data.audit.folder import list_pairs  # torch: seconds

        with progress("checking and measuring", len(list_pairs(folder))) as done:
            sets.append(audited_pairs(folder, output / FOLDER, jobs or default_jobs(), done))
    pairs = [pair for each in sets for pair in each]
    seconds["measure"] = time.perf_counter() - started
    used = usable(pairs)
    _refuse_too_few(pairs, used)
    if settings.check_swapped:
        _refuse_swapped(used)
    groups = [pair.files.group for pair in used]
    started = time.perf_counter()
    with progress("learning", max(fold_of(groups, settings.folds)) + 2) as done:
        found = fit_validated(_measured(used), groups, done, settings.folds)
    engineer, validation = found.engineer, found.validation
    unlike = [(used[each.place].files.name, _why_unlike(each)) for each in found.left_out]
    places = {each.place for each in found.left_out}
    used = [pair for i, pair in enumerate(used) if i not in places]
    measured = _measured(used)
    seconds["learn"] = time.perf_counter() - started
    drifts = [text for later in sets[1:] for text in drift(_measured(sets[0]), _measured(later))]
    notes = (*_notes(pairs, used, validation, unlike), *(Note("drift", text) for text in drifts))
    engineer = replace(engineer, about=_about(folders, used, validation, notes))
    started = time.perf_counter()
    songs = _listening(used, validation, settings.listening_songs, progress)
    title = output.absolute().name
    texts = [note.text for note in notes]
    write_card(output / CARD, title, engineer, measured, validation, texts)
    page = LearnPage(
        title=title,
        engineer=engineer,
        pairs=measured,
        left_out=[*((pair.files.name, pair.refusal) for pair in pairs if pair.measurement is None), *unlike],
        validation=validation,
        songs=songs,
        drift=drifts,
        notes=texts,
        facts=[
            ("pairs", f"{len(used)} of {len(pairs)}, {len({pair.files.group for pair in used})} groups"),
            ("folders", ", ".join(Path(folder).name for folder in folders)),
            ("package", f"neural_mastering {__version__}"),
        ],
    )
    write_learn_page(page, output / PAGE)
    model = write_engineer(engineer, output / FILE_NAME)  # last: where it is, all is
    seconds["report"] = time.perf_counter() - started
    return LearnedFolder(engineer, tuple(pairs), validation, notes, model, seconds)


def _measured(pairs: Sequence[AuditedPair]) -> list[PairMeasurement]:
    return [pair.measurement for pair in pairs if pair.measurement is not None]


def _why_unlike(outlier: UnlikePair) -> str:
    return (
        f"its tone is {outlier.distance_db:.1f} dB away from what the other pairs say (half of them lie within "
        f"{outlier.usual_db:.1f} dB): is the master by the same engineer, and of this mix?"
    )


def _listening(
    used: Sequence[AuditedPair], validation: Validation | None, count: int, progress: Progress
) -> list[ListeningSong]:
    if validation is None or count <= 0:
        return []
    places = chosen_songs(validation.songs, min(count, len(validation.songs)))
    found = []
    with progress("mastering songs to hear", len(places)) as done:
        for place in places:
            found.append(listening_song(used[place], validation.songs[place]))
            done(place)
    return [song for song in found if song is not None]


def _refuse_too_few(pairs: Sequence[AuditedPair], used: Sequence[AuditedPair]) -> None:
    if len(used) >= LEAST_PAIRS:
        return
    refused = [f"{pair.files.name}: {pair.refusal}" for pair in pairs if pair.measurement is None]
    why = f"; left out: {'; '.join(refused[:5])}" if refused else ""
    raise InputError(
        f"{len(used)} of {len(pairs)} pairs can be used: expected {LEAST_PAIRS} or more, and about 20 to learn "
        f"how the engineer reacts to a song{why}"
    )


SWAPPED_LU, SWAPPED_SHARE = 1.0, 0.8


def _refuse_swapped(used: Sequence[AuditedPair]) -> None:
    """Masters that are quieter and more dynamic than their mixes are mixes."""
    against = 0
    for pair in used:
        assert pair.measurement is not None
        mix, master = pair.measurement.features, pair.measurement.move
        louder = mix.loudness_lufs - master.loudness_lufs
        against += louder > SWAPPED_LU and master.plr_db > mix.plr_db + SWAPPED_LU
    if against >= SWAPPED_SHARE * len(used):
        raise InputError(
            f"in {against} of {len(used)} pairs the mastered side is quieter and more dynamic than the unmastered "
            "one: the folders seem exchanged. If they are right, add learning.check_swapped=false"
        )


def _notes(
    pairs: Sequence[AuditedPair],
    used: Sequence[AuditedPair],
    validation: Validation | None,
    unlike: Sequence[tuple[str, str]],
) -> tuple[Note, ...]:
    notes = [
        Note("pair_left_out", f"{pair.files.name} was left out: {pair.refusal}")
        for pair in pairs
        if pair.measurement is None
    ]
    notes += [Note("pair_unlike_others", f"{name} was not learned from: {why}") for name, why in unlike]
    if len(used) < SONG_DEPENDENT_PAIRS:
        text = (
            f"{len(used)} pairs are enough for the average of what the engineer does, not for how it depends on a "
            f"song: {SONG_DEPENDENT_PAIRS} or more are needed, 20 are good"
        )
        notes.append(Note("average_only", text))
    elif validation is None:
        notes.append(
            Note("not_validated", "all songs are of one group: how well this was learned is not known")
        )
    elif validation.is_worse_than_nothing:
        notes.append(Note("worse_than_nothing", f"on songs that were held out, {worse(validation)}"))
    elif not validation.is_song_dependent:
        notes.append(
            Note(
                "average_is_best",
                "on songs that were held out, the learned engineer is not surely better than the average of the "
                "others: the average is about the best that can be done with these pairs, and the model uses it",
            )
        )
    return tuple(notes)


def _about(
    folders: Sequence[str | Path],
    used: Sequence[AuditedPair],
    validation: Validation | None,
    notes: Sequence[Note],
) -> dict[str, Any]:
    about: dict[str, Any] = {
        "pairs": len(used),
        "groups": len({pair.files.group for pair in used}),
        "sets": [Path(folder).name for folder in folders],
        "notes": [vars(note) for note in notes],
    }
    if validation is not None:
        about["validation"] = {
            "folds": validation.folds,
            "tone_trust": validation.tone_trust,
            "song_dependent_share": {
                "value": validation.learned.dependent,
                "interval": list(validation.gain),
            },
            "systems": {
                s.name: {"error_db": s.error_db, "explained": s.explained, "dependent": s.dependent}
                for s in validation.scores
            },
            "mean_absolute_error": {
                n.name: {"learned": n.learned, "average": n.average} for n in validation.numbers
            },
        }
    return about
