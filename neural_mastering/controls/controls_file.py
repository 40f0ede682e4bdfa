"""Controls as a YAML file that a person can edit."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from neural_mastering.atomic import write_text
from neural_mastering.controls.bands import Bands, EqBand
from neural_mastering.controls.catalogue import STAGE_NAMES, Values
from neural_mastering.controls.chain_controls import ChainControls
from neural_mastering.controls.limiter_controls import RANGES
from neural_mastering.dsp.rbj import KINDS
from neural_mastering.errors import InputError

VERSION = 1
MAX_BYTES = 1_000_000
MAX_BANDS = 64
MAX_STAGES = 32
DEEPEST = 8

DESIGN_RATE_HZ = (8_000.0, 768_000.0)
LOWEST_HZ = 5.0
BAND_GAIN_DB = 24.0
Q_RANGE = (0.05, 40.0)
BROADBAND_GAIN_DB = 60.0

_KEYS = (
    "version",
    "design_rate_hz",
    "eq",
    "gain_db",
    "stages",
    "residual",
    "residual_amount",
    "limiter",
    "words",
)
_BAND_KEYS = ("kind", "frequency_hz", "gain_db", "q")

_HEADER = f"""\
# Settings of one song, in the order of the chain: eq, gain, stages, residual, limiter. Edit freely and render again
# with nm-master --controls THIS_FILE. Loudness target and ceiling are no part of it: use --target and --ceiling.
version: {VERSION}
"""


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses repeated keys, of which YAML would silently keep the last, aliases, and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not used in these files")
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.YAMLError("nested too deeply")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # pyright: ignore[reportArgumentType]
            if not isinstance(key, str):
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: the key {key!r} is not a name")
            if key in seen:
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: '{key}' is there twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def save_controls(controls: ChainControls, path: str | Path, origin: str = "") -> None:
    """Write controls as YAML that a person can edit: physical units, a comment each; floats come back exactly.

    The file appears under its name only when it is complete.

    Args:
        controls: to write.
        path: of the file.
        origin: where the controls came from, written as a comment.

    Raises:
        InputError: controls that `load_controls` would refuse, or a folder that can't be written.
    """
    path = Path(path)
    note = "".join(f"# {line}\n" for line in origin.splitlines())
    text = note + to_text(controls)
    from_text(text, str(path))
    write_text(path, text)


def load_controls(path: str | Path) -> ChainControls:
    """Read controls from YAML.

    Raises:
        InputError: no such file, not YAML, unknown or repeated keys, a value of the wrong kind, not finite or
            out of range. The message names the place and what was expected.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than 1 MB: expected a YAML file of controls")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path} can't be read ({error.strerror}): expected a YAML file of controls"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: expected a YAML file of controls") from error
    controls = from_text(text, str(path))
    for name in controls.stages:
        if name not in STAGE_NAMES:
            raise InputError(
                f"{path}: stages: no stage is called '{name}': expected {', '.join(STAGE_NAMES)}"
            )
    return controls


def to_text(controls: ChainControls) -> str:
    """The file's text; every float is written so that it reads back exactly."""
    lines = [
        _HEADER
        + f"design_rate_hz: {_number(controls.design_rate_hz)}    # Hz; the bands mean their curve at this rate",
        "eq:    # bands in series; kind: low_shelf, peak or high_shelf; Hz, dB, and Q without a unit",
        *(
            f"  - {{kind: {band.kind}, frequency_hz: {_number(band.frequency_hz)}, "
            f"gain_db: {_number(band.gain_db)}, q: {_number(band.q)}}}"
            for band in controls.eq
        ),
        f"gain_db: {_number(controls.gain_db)}    # dB, after the equaliser",
    ]
    if not len(controls.eq):
        lines[1] = "eq: []    # no bands: the tone is left alone"
    lines.append(
        "stages:    # further stages in order; units are in the names" if controls.stages else "stages: {}"
    )
    for name, stage in controls.stages.items():
        lines.append(f"  {_quoted(name)}:" if stage else f"  {_quoted(name)}: {{}}")
        lines += [f"    {_quoted(key)}: {_value(value)}" for key, value in stage.items()]
    named = "null" if controls.residual is None else _quoted(controls.residual)
    lines.append(f"residual: {named}    # the model whose neural residual joins when it is given; null: none")
    lines.append(f"residual_amount: {_number(controls.residual_amount)}    # factor of the residual, 0 to 1")
    if controls.limiter:
        lines.append(
            "limiter:    # and clipper in front of it; without these lines they are found for the song"
        )
        lines += [f"  {key}: {_number(value)}" for key, value in controls.limiter.items()]
    if controls.words:
        words = ", ".join(
            f"{_quoted(name)}: {_number(strength)}" for name, strength in controls.words.items()
        )
        lines.append(f"words: {{{words}}}    # in the bands already; for the record only")
    return "\n".join(lines) + "\n"


def from_text(text: str, where: str) -> ChainControls:
    """Controls from a file's text; `where` names it in messages. See `load_controls`."""
    try:
        tree = yaml.load(text, Loader=_UniqueKeyLoader)
    except (yaml.YAMLError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise InputError(f"{where} is no valid YAML file of controls: {detail}") from error
    return controls_of(tree, where)


def controls_of(tree: Any, where: str = "controls") -> ChainControls:
    """Controls from plain data: the inverse of `ChainControls.as_dict`; `where` names it in messages.

    Raises:
        InputError: as in `load_controls`.
    """
    top = _mapping(tree, where, _KEYS, required=("design_rate_hz",))
    if top.get("version", VERSION) != VERSION:
        raise InputError(f"{where}: version {top['version']!r}, expected {VERSION}: save the controls again")
    rate = _float(top["design_rate_hz"], f"{where}: design_rate_hz", *DESIGN_RATE_HZ, unit=" Hz")
    residual = top.get("residual")
    if residual is not None and not (isinstance(residual, str) and residual.strip()):
        raise InputError(f"{where}: residual: expected the name of a model or null, got {residual!r}")
    bands = _list(top.get("eq"), f"{where}: eq", MAX_BANDS)
    stages = top.get("stages")
    if not isinstance(stages := {} if stages is None else stages, dict) or len(stages) > MAX_STAGES:
        raise InputError(f"{where}: stages: expected names with their controls, got {_shown(stages)}")
    words = top.get("words")
    if not isinstance(words := {} if words is None else words, dict) or len(words) > MAX_BANDS:
        raise InputError(f"{where}: words: expected words with their strengths, got {_shown(words)}")
    return ChainControls(
        design_rate_hz=rate,
        eq=Bands.of(_band(band, f"{where}: eq band {i}", rate) for i, band in enumerate(bands, 1)),
        gain_db=_float(
            top.get("gain_db", 0.0), f"{where}: gain_db", -BROADBAND_GAIN_DB, BROADBAND_GAIN_DB, unit=" dB"
        ),
        stages={name: _stage(stage, f"{where}: stage {name}") for name, stage in stages.items()},
        residual=residual,
        residual_amount=_float(top.get("residual_amount", 1.0), f"{where}: residual_amount", 0.0, 1.0),
        limiter=_limiter(top.get("limiter"), f"{where}: limiter"),
        words={name: _float(value, f"{where}: words: {name}", -10.0, 10.0) for name, value in words.items()},
    )


def _band(tree: Any, where: str, rate: float) -> EqBand:
    band = _mapping(tree, where, _BAND_KEYS, required=_BAND_KEYS)
    if band["kind"] not in KINDS:
        raise InputError(f"{where}: kind {band['kind']!r}: expected one of {', '.join(KINDS)}")
    highest = 0.499 * rate
    return EqBand(
        kind=band["kind"],
        frequency_hz=_float(band["frequency_hz"], f"{where}: frequency_hz", LOWEST_HZ, highest, unit=" Hz"),
        gain_db=_float(band["gain_db"], f"{where}: gain_db", -BAND_GAIN_DB, BAND_GAIN_DB, unit=" dB"),
        q=_float(band["q"], f"{where}: q", *Q_RANGE),
    )


def _limiter(tree: Any, where: str) -> dict[str, float]:
    if tree is None or tree == {}:
        return {}
    given = _mapping(tree, where, tuple(RANGES), required=tuple(RANGES))
    return {
        key: _float(given[key], f"{where}: {key}", low, high, unit=unit)
        for key, (low, high, unit) in RANGES.items()
    }


def _stage(tree: Any, where: str) -> Values:
    if not isinstance(tree, dict):
        raise InputError(f"{where}: expected controls by name, got {_shown(tree)}")
    values: dict[str, float | tuple[float, ...]] = {}
    for key, value in tree.items():
        if isinstance(value, list):
            items = _list(value, f"{where}: {key}", MAX_BANDS)
            values[key] = tuple(_float(v, f"{where}: {key}", -math.inf, math.inf) for v in items)
        else:
            values[key] = _float(value, f"{where}: {key}", -math.inf, math.inf)
    return values


def _mapping(tree: Any, where: str, known: Sequence[str], required: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(tree, dict):
        raise InputError(f"{where}: expected the keys {', '.join(known)}; got {_shown(tree)}")
    for key in tree:
        if key not in known:
            raise InputError(f"{where}: unknown key '{key}': expected {', '.join(known)}")
    for key in required:
        if key not in tree:
            raise InputError(f"{where}: the key '{key}' is missing")
    return tree


def _list(tree: Any, where: str, most: int) -> list[Any]:
    if tree is None:
        return []
    if not isinstance(tree, list) or len(tree) > most:
        raise InputError(f"{where}: expected a list of at most {most} entries, got {_shown(tree)}")
    return tree


def _float(value: Any, where: str, low: float, high: float, unit: str = "") -> float:
    if isinstance(value, str):  # YAML 1.1 reads 1e3 as text
        try:
            value = float(value)
        except ValueError:
            raise InputError(f"{where}: expected a number, got {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{where}: expected a number, got {_shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{where}: expected a finite number, got {_shown(value)}")
    if not low <= number <= high:
        raise InputError(f"{where}: expected {low:g} to {high:g}{unit}, got {number:g}")
    return number


def _number(value: float) -> str:
    """The shortest text that reads back as the same float; YAML wants a dot before an exponent."""
    text = repr(float(value))
    mantissa, e, exponent = text.partition("e")
    return text if not e or "." in mantissa else f"{mantissa}.0e{exponent}"


def _value(value: float | Sequence[float]) -> str:
    return f"[{', '.join(map(_number, value))}]" if isinstance(value, Sequence) else _number(value)


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, allow_unicode=True, default_style='"', width=math.inf).strip()


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
