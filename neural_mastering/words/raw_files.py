"""Read one's own copies of the SocialEQ and SAFE files: curves and words, nothing about persons.

Both data sets are published without a licence, and upstream rows of SAFE hold addresses, ages and places. What
could name a person is dropped while a row is read: of a SAFE row only the word, the sound and the equaliser are
kept, and the user becomes a running number. See docs/words.md for where the files come from.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_mastering.dsp import rbj
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError
from neural_mastering.words.shape import HEARD

SOCIALEQ_HZ: Float64s = np.array(
    [
        *(20, 50, 83, 120, 161, 208, 259, 318, 383, 455, 537, 628, 729, 843, 971, 1114, 1273, 1452, 1652),
        *(1875, 2126, 2406, 2719, 3070, 3462, 3901, 4392, 4941, 5556, 6244, 7014, 7875, 8839, 9917, 11124),
        *(12474, 13984, 15675, 17566, 19682),
    ],
    dtype=np.float64,
)
"""Band centres of a SocialEQ row: 40 points of one curve, not 40 filters."""

SAFE_RATE_HZ = 44_100.0
"""At which the SAFE plug-in's biquads are meant."""

SAFE_KINDS = ("low_shelf", "peak", "peak", "peak", "high_shelf")
SAFE_SHELF_Q = 0.71
MIXES = frozenset(f"{genre}{i}" for genre in ("jazz", "metal") for i in range(1, 6))
"""What SAFE calls the ten full mixes, in the column of the genre or of the instrument."""

_SOCIALEQ_COLUMNS = 44  # word, language, sound, consistency, 40 bands; the header names 43
_SAFE_COLUMNS = 25
_SAFE_WORD, _SAFE_USER, _SAFE_FIRST, _SAFE_GENRE, _SAFE_INSTRUMENT = 1, 2, 5, 18, 19
_MOST_GAIN_DB = 12.5


@dataclass(frozen=True)
class Contribution:
    """What one person meant by one word, once.

    Attributes:
        word: lower case.
        curve: (third,); SocialEQ: z-scores (no decibels), SAFE: dB.
        user: running number within the file; None where the file doesn't say.
        sound: which of the sounds it was said of.
        on_mix: the sound was a full mix.
    """

    word: str
    curve: Float64s
    user: int | None
    sound: str
    on_mix: bool = False


def read_socialeq(path: Path | str) -> list[Contribution]:
    """The English rows of SocialEQ's `eq_contributions.csv`, by position: the header lacks the language's name.

    A row holds 40 weights of one curve, which are z-scores. They are read at third octaves by linear interpolation
    over log f; the bands at 20 Hz and above 16 kHz are not used.

    Raises:
        InputError: a file that can't be read or is something else.
    """
    path = Path(path)
    found = []
    used = slice(1, 38)  # 50 Hz to 15.7 kHz
    place = np.log(SOCIALEQ_HZ[used])
    for number, row in enumerate(_rows(path), 1):
        if number == 1 and row and row[0].strip().lower() == "descriptor":
            continue
        if len(row) != _SOCIALEQ_COLUMNS:
            raise InputError(
                f"{path}, line {number}: expected {_SOCIALEQ_COLUMNS} values (word, language, sound, consistency, "
                f"40 bands), got {len(row)}"
            )
        if row[1].strip().lower() != "english":
            continue
        word, sound = _word(row[0]), row[2].strip()
        try:
            weights = np.array([float(value) for value in row[4:]])
        except ValueError:
            raise InputError(f"{path}, line {number}: expected 40 numbers after the fourth column") from None
        if word and np.isfinite(weights).all() and weights[used].std() > 0.0:
            found.append(Contribution(word, np.interp(np.log(CENTRES_HZ), place, weights[used]), None, sound))
    if not found:
        raise InputError(f"{path} holds no English rows: expected SocialEQ's eq_contributions.csv")
    return found


def read_safe(path: Path | str) -> list[Contribution]:
    """The rows of SAFE's `SAFEEqualiserUserData.csv` as curves in dB, without anything about the person.

    Two shelves and three peaks at 44.1 kHz. Rows without a word, tests and flat ones are left out.

    Raises:
        InputError: a file that can't be read or is something else.
    """
    path = Path(path)
    found, users = [], dict[str, int]()
    for number, row in enumerate(_rows(path), 1):
        if len(row) != _SAFE_COLUMNS:
            raise InputError(f"{path}, line {number}: expected {_SAFE_COLUMNS} values, got {len(row)}")
        try:
            values = [float(value) for value in row[_SAFE_FIRST : _SAFE_FIRST + 13]]
        except ValueError:
            raise InputError(f"{path}, line {number}: expected 13 numbers from the sixth column on") from None
        word = _word(row[_SAFE_WORD])
        user = users.setdefault(row[_SAFE_USER].strip(), len(users))
        gains = np.array([values[0], values[2], values[5], values[8], values[11]])
        if word in ("", "test") or not np.any(gains) or np.abs(gains).max() > _MOST_GAIN_DB:
            continue
        sounds = {row[column].strip().lower() for column in (_SAFE_GENRE, _SAFE_INSTRUMENT)}
        mixes = sorted(sounds & MIXES)
        found.append(
            Contribution(word, _safe_curve_db(values, gains), user, "".join(mixes), on_mix=bool(mixes))
        )
    if not found:
        raise InputError(f"{path} holds no equalisers: expected SAFE's SAFEEqualiserUserData.csv")
    return found


def _safe_curve_db(values: list[float], gains: Float64s) -> Float64s:
    frequency = np.array([values[1], values[3], values[6], values[9], values[12]])
    q = np.array([SAFE_SHELF_Q, values[4], values[7], values[10], SAFE_SHELF_Q])
    curve = rbj.level_db(SAFE_KINDS, frequency, gains, q, CENTRES_HZ, SAFE_RATE_HZ)
    return np.where(HEARD, curve, curve[HEARD][0])


def _word(text: str) -> str:
    return " ".join(text.lower().split())


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        # the files mix Latin-1 and UTF-8; a letter that is neither is in no word that matters
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            yield from (row for row in csv.reader(file) if row)
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror})") from error
    except csv.Error as error:
        raise InputError(f"{path} is no CSV file: {error}") from error
