"""The exported JSFX, run: an interpreter of the part of EEL2 that it uses, written from the reference.

Sections @init, @slider and @sample are executed in REAPER's order with its variables (`srate`, `sliderN`, `splN`);
functions, parameters, `local` and `this.` as in EEL2: variables are global doubles that begin at 0, names
ignore case, `^` is a power, a sequence has the value of its last statement.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import sosfilt

from neural_mastering.controls import Bands, ChainControls, EqBand
from neural_mastering.controls.catalogue import Values
from neural_mastering.dsp import rbj
from neural_mastering.rendering.outputs.export import export_controls
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages

CONTROLS = ChainControls(
    eq=Bands.of(
        (
            EqBand("low_shelf", 81.2345, 3.4567, 0.7071),
            EqBand("peak", 431.21, -4.3211, 2.345),
            EqBand("peak", 5_123.4, 2.9876, 0.8888),
            EqBand("high_shelf", 9_000.0, -4.4444, 0.6),
        )
    ),
    gain_db=-1.2345,
)
SAMPLES = 1_500
Scope = dict[str, float]
Value = Callable[[Scope, str], float]
"""(parameters and locals, instance) → value."""

TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*|\.\d+)|([$a-z_][\w.]*)|([-+*/<>=]=|[-+*/^%=(),;?:<>\[\]]))", re.IGNORECASE
)
BUILT_IN: dict[str, Callable[..., float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "sqrt": math.sqrt, "exp": math.exp, "log": math.log,
    "log10": math.log10, "min": min, "max": max, "abs": math.fabs, "sqr": lambda x: x * x,
    "sign": lambda x: float((x > 0) - (x < 0)),
}  # fmt: skip
OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: float(int(a) % int(b)),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "<=": lambda a, b: float(a <= b),
    "==": lambda a, b: float(abs(a - b) < 1e-5),
}


@dataclass
class Function:
    parameters: list[str]
    local: list[str]
    body: Value


@dataclass
class Plugin:
    """A JSFX in memory."""

    sliders: dict[int, tuple[float, float, float, str]] = field(default_factory=dict)
    variables: dict[str, float] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    sections: dict[str, list[Value]] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)

    def start(self, rate: float) -> None:
        self.variables = {"srate": rate} | {f"slider{n}": s[0] for n, s in self.sliders.items()}
        self.run("init")
        self.run("slider")

    def run(self, section: str) -> None:
        for statement in self.sections[section]:
            statement({}, "")

    def place(self, scope: Scope, instance: str, name: str) -> tuple[Scope, str]:
        """Where a name lives: in the call, in the instance, or globally."""
        if name in scope:
            return scope, name
        if name.startswith("this."):
            assert instance, f"{name} outside of an instance"
            return self.variables, f"{instance}.{name[5:]}"
        return self.variables, name

    def process(self, audio: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.empty_like(audio)
        for n in range(audio.shape[1]):
            self.variables["spl0"], self.variables["spl1"] = audio[:, n].tolist()
            self.run("sample")
            out[:, n] = self.variables["spl0"], self.variables["spl1"]
        return out


class Parser:
    """Recursive descent; compiles to closures."""

    def __init__(self, plugin: Plugin, text: str) -> None:
        self.plugin, self.tokens, self.at = plugin, [], 0
        self.writers: dict[Value, Callable[[Scope, str, float], float]] = {}
        place = 0
        while text[place:].strip():
            match = TOKEN.match(text, place)
            assert match, f"not EEL2: {text[place : place + 30]!r}"
            self.tokens.append(next(t for t in match.groups() if t is not None).lower())
            place = match.end()
        self.tokens.append("")

    def peek(self) -> str:
        return self.tokens[self.at]

    def take(self, expected: str | None = None) -> str:
        token = self.tokens[self.at]
        assert token and (expected is None or token == expected), f"expected {expected}, got {token!r}"
        self.at += 1
        return token

    def program(self) -> list[Value]:
        statements = []
        while self.peek():
            if self.peek() == "function":
                self.function()
            else:
                statements.append(self.assignment())
            while self.peek() == ";":
                self.take()
        return statements

    def function(self) -> None:
        self.take("function")
        name, parameters, local = self.take(), self.names(), []
        if self.peek() == "local":
            self.take()
            local = self.names()
        self.plugin.functions[name] = Function(parameters, local, self.primary())

    def names(self) -> list[str]:
        self.take("(")
        names = []
        while self.peek() != ")":
            if (token := self.take()) != ",":
                names.append(token)
        self.take(")")
        return names

    def assignment(self) -> Value:
        left = self.conditional()
        operator = self.peek()
        if operator not in ("=", "+=", "-=", "*=", "/="):
            return left
        self.take()
        write, value = self.writers[left], self.assignment()
        if operator == "=":
            return lambda s, i: write(s, i, value(s, i))
        change = OPERATORS[operator[0]]
        return lambda s, i: write(s, i, change(left(s, i), value(s, i)))

    def conditional(self) -> Value:
        condition = self.chain(lambda: self.sum(), ("<", ">", "<=", ">=", "=="))
        if self.peek() != "?":
            return condition
        self.take()
        then, otherwise = self.assignment(), None
        if self.peek() == ":":
            self.take()
            otherwise = self.assignment()
        # what is within 0.00001 of 0 is false in EEL2
        return lambda s, i: (
            then(s, i) if abs(condition(s, i)) > 1e-5 else otherwise(s, i) if otherwise else 0.0
        )

    def sum(self) -> Value:
        return self.chain(self.product, ("+", "-"))

    def product(self) -> Value:
        return self.chain(self.unary, ("*", "/", "%"))

    def chain(self, part: Callable[[], Value], operators: tuple[str, ...]) -> Value:
        left = part()
        while self.peek() in operators:
            operator, right = OPERATORS[self.take()], part()
            left = (lambda o, a, b: lambda s, i: o(a(s, i), b(s, i)))(operator, left, right)
        return left

    def unary(self) -> Value:
        if self.peek() == "-":
            self.take()
            value = self.unary()
            return lambda s, i: -value(s, i)
        base = self.postfix()
        if self.peek() == "^":
            self.take()
            power = self.unary()
            return lambda s, i: base(s, i) ** power(s, i)
        return base

    def postfix(self) -> Value:
        value = self.primary()
        while self.peek() == "[":
            self.take()
            value = self.cell(value, self.assignment())
            self.take("]")
        return value

    def cell(self, base: Value, offset: Value) -> Value:
        memory = self.plugin.memory

        def read(scope: Scope, instance: str) -> float:
            return memory.get(int(base(scope, instance) + offset(scope, instance) + 1e-5), 0.0)

        def write(scope: Scope, instance: str, value: float) -> float:
            memory[int(base(scope, instance) + offset(scope, instance) + 1e-5)] = value
            return value

        self.writers[read] = write
        return read

    def sequence(self) -> Value:
        parts = []
        while self.peek() != ")":
            if self.peek() == ";":
                self.take()
            else:
                parts.append(self.assignment())
        self.take(")")

        def run(scope: Scope, instance: str) -> float:
            value = 0.0
            for part in parts:
                value = part(scope, instance)
            return value

        return run

    def primary(self) -> Value:
        token = self.take()
        if token == "(":
            return self.sequence()
        if re.match(r"[\d.]", token):
            number = float(token)
            return lambda s, i: number
        if token == "$pi":
            return lambda s, i: math.pi
        if token in ("loop", "while"):
            return self.repeated(token)
        if self.peek() == "(":
            return self.call(token)
        place = self.plugin.place

        def read(scope: Scope, instance: str) -> float:
            store, key = place(scope, instance, token)
            return store.setdefault(key, 0.0)

        def write(scope: Scope, instance: str, value: float) -> float:
            store, key = place(scope, instance, token)
            store[key] = value
            return value

        self.writers[read] = write
        return read

    def repeated(self, kind: str) -> Value:
        self.take("(")
        head = self.assignment()
        if kind == "loop":
            self.take(",")
            body = self.sequence()

            def loop(scope: Scope, instance: str) -> float:
                for _ in range(int(head(scope, instance))):
                    body(scope, instance)
                return 0.0

            return loop
        self.take(")")
        self.take("(")
        body = self.sequence()

        def run_while(scope: Scope, instance: str) -> float:
            while abs(head(scope, instance)) > 1e-5:
                body(scope, instance)
            return 0.0

        return run_while

    def call(self, name: str) -> Value:
        self.take("(")
        arguments = []
        while self.peek() != ")":
            arguments.append(self.assignment())
            if self.peek() == ",":
                self.take()
        self.take(")")
        if name in BUILT_IN:
            built_in = BUILT_IN[name]
            return lambda s, i: built_in(*[a(s, i) for a in arguments])
        owner, _, method = name.rpartition(".")
        function = self.plugin.functions[method]  # EEL2, too, wants functions before their use
        assert len(arguments) == len(function.parameters), f"{name}: wrong number of arguments"

        def run(scope: Scope, instance: str) -> float:
            values = [argument(scope, instance) for argument in arguments]
            inner = dict(zip(function.parameters, values, strict=True)) | dict.fromkeys(function.local, 0.0)
            return function.body(inner, instance if owner == "this" else owner)

        return run


def load(path: Path) -> Plugin:
    plugin, section, bodies = Plugin(), "", {}
    lines = [line.partition("//")[0].rstrip() for line in path.read_text().splitlines()]
    assert lines[0].startswith("desc:")
    for line in lines:
        if line.startswith("@"):
            section = line[1:].strip()
            bodies[section] = ""
        elif section:
            bodies[section] += line + "\n"
        elif match := re.fullmatch(r"slider(\d+):(-?[\d.]+)<([-\d.]+),([-\d.]+),[\d.]+(?::log)?>(.+)", line):
            default, low, high = (float(match[i]) for i in (2, 3, 4))
            assert low <= default <= high
            plugin.sliders[int(match[1])] = default, low, high, match[5]
        else:
            assert not line or re.fullmatch(r"(desc|in_pin|out_pin):.*", line), f"unexpected line {line!r}"
    for name in ("init", "slider", "sample"):
        plugin.sections[name] = Parser(plugin, bodies[name]).program()
    return plugin


def exported(controls: ChainControls, folder: Path, rate: float) -> Plugin:
    (result,) = export_controls(controls, ["jsfx"], folder / "song", rate)
    return load(result.path)


def null_db(theirs: NDArray[np.float64], ours: NDArray[np.float64]) -> float:
    return 10.0 * math.log10(float(((theirs - ours) ** 2).sum() / (ours**2).sum()) + 1e-40)


@pytest.fixture
def noise() -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(0).standard_normal((2, SAMPLES))


def test_the_plugin_cancels_our_render(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    plugin = exported(CONTROLS, tmp_path, 44_100)
    plugin.start(44_100)
    ours = noise
    for stage in build_stages(CONTROLS, 44_100, 2):
        ours = stage.process(ours)
    assert null_db(plugin.process(noise), ours) < -120.0


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_sliders_mean_what_they_say(rate: int, tmp_path: Path, noise: NDArray[np.float64]) -> None:
    """Each slider moved: the plug-in equals cookbook biquads with the slider's value."""
    plugin = exported(CONTROLS, tmp_path, rate)
    names = [plugin.sliders[n][3] for n in sorted(plugin.sliders)]
    assert (
        names[0] == "Gain (dB)"
        and names[1] == "1 low shelf: frequency (Hz)"
        and names[-1] == "4 high shelf: Q"
    )
    values = {n: s[0] for n, s in plugin.sliders.items()}
    for moved, value in ((1, 3.0), (2, 140.0), (6, 6.0), (10, 4.0), (11, 12_000.0), (13, 1.1)):
        values[moved] = value
        plugin.start(rate)
        for n, v in values.items():
            plugin.variables[f"slider{n}"] = v
        plugin.run("slider")
        frequency, gain, q = ([values[3 * b + k] for b in range(4)] for k in (2, 3, 4))
        sections = rbj.sections([b.kind for b in CONTROLS.eq], frequency, gain, q, rate)
        assert null_db(plugin.process(noise), sosfilt(sections, noise) * 10.0 ** (values[1] / 20.0)) < -200.0


def test_channels_are_apart_and_no_bands_is_a_gain(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    plugin = exported(CONTROLS, tmp_path, 44_100)
    plugin.start(44_100)
    one_sided = noise * np.array([[1.0], [0.0]])
    assert not plugin.process(one_sided)[1].any()
    plain = exported(ChainControls(gain_db=6.0), tmp_path, 44_100)
    plain.start(44_100)
    assert np.allclose(plain.process(noise), noise * 10.0**0.3, rtol=1e-12)
    flat = exported(CONTROLS, tmp_path, 44_100)
    flat.start(44_100)
    flat.variables |= {"slider1": 0.0} | {f"slider{3 * b + 3}": 0.0 for b in range(4)}
    flat.run("slider")
    assert null_db(flat.process(noise), noise) < -250.0, "bands at 0 dB do nothing"


COMPRESSOR = {
    "threshold_db": -12.3, "ratio": 3.21, "attack_ms": 2.5, "release_ms": 40.0, "knee_db": 5.0, "makeup_db": 3.2,
    "mix": 0.8, "sidechain_hz": 120.0, "link_max": 0.0, "input_lufs": -21.5,
}  # fmt: skip
SATURATION = {"drive_db": 14.0, "shape": 0.6, "bias": 0.21, "mix": 0.7, "input_lufs": -21.5}
STEREO = {"width": 1.43, "bass_frequency_hz": 140.0, "bass_amount": 0.6}


def rendered(controls: ChainControls, audio: NDArray[np.float64], rate: int = 44_100) -> NDArray[np.float64]:
    return np.concatenate(list(run_stages(build_stages(controls, rate, 2), [audio])), axis=1)


@pytest.mark.parametrize(
    "values",
    [
        COMPRESSOR,
        COMPRESSOR | {"link_max": 1.0, "sidechain_hz": 0.0, "knee_db": 0.0},
        COMPRESSOR | {"ratio": 1.0},
        COMPRESSOR | {"mix": 0.0},
    ],
)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_plugins_compressor_is_ours(
    values: Values, rate: int, tmp_path: Path, noise: NDArray[np.float64]
) -> None:
    controls = ChainControls(gain_db=2.0, stages={"compressor": values})
    plugin = exported(controls, tmp_path, rate)
    assert len(plugin.sliders) == 8 and plugin.sliders[3][3] == "compressor: ratio"
    plugin.start(rate)
    beat = noise * np.where(np.arange(SAMPLES) % 700 < 250, 3.0, 0.3)
    ours = rendered(controls, beat, rate)
    assert null_db(plugin.process(beat), ours) < -100.0
    moves = null_db(ours, 10 ** (2.0 / 20) * beat)
    assert moves > -30.0 or values["mix"] == 0.0


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_the_plugins_saturation_is_ours(rate: int, tmp_path: Path, noise: NDArray[np.float64]) -> None:
    """At 8 and 4 times the rate; the plug-in is 63 samples late and says so."""
    controls = ChainControls(stages={"saturation": SATURATION})
    plugin = exported(controls, tmp_path, rate)
    plugin.start(rate)
    late = round(plugin.variables["pdc_delay"])
    assert late == 63
    audio = 2.0 * noise[:, :160]
    ours = rendered(controls, audio, rate)
    theirs = plugin.process(np.pad(audio, ((0, 0), (0, late))))[:, late:]
    assert null_db(theirs, ours) < -100.0
    assert null_db(audio, ours) > -30.0


def test_the_plugins_width_is_ours(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    controls = ChainControls(stages={"stereo": STEREO})
    plugin = exported(controls, tmp_path, 44_100)
    plugin.start(44_100)
    ours = rendered(controls, noise)
    theirs = plugin.process(noise)
    assert null_db(theirs, ours) < -100.0 and null_db(noise, ours) > -20.0
    assert np.allclose(theirs.sum(axis=0), noise.sum(axis=0), atol=1e-12), "the mono sum stays"


DYNAMIC_EQ: Values = {
    "frequency_hz": (310.0, 1_000.0, 5_432.1),
    "q": (1.3, 2.0, 0.9),
    "threshold_db": (-22.0, -20.0, -25.0),
    "range_db": (4.5, 0.0, -9.0),
    "attack_ms": (1.0, 5.0, 2.0),
    "release_ms": (12.0, 50.0, 30.0),
    "bands": 3.0, "design_rate_hz": 44_100.0, "reference_dbfs": -20.0, "input_lufs": -21.5,
}  # fmt: skip
MID_SIDE_EQ: Values = {
    "mid_frequency_hz": (300.0, 1_234.5, 8_000.0),
    "mid_gain_db": (2.3456, -3.21, 1.5),
    "mid_q": (0.7, 1.9, 0.6),
    "side_frequency_hz": (400.0, 2_345.6, 9_876.5),
    "side_gain_db": (-4.4, 0.0, 3.3),
    "side_q": (0.65, 3.0, 0.7),
    "bands": 3.0, "design_rate_hz": 44_100.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "values", [DYNAMIC_EQ, {k: v for k, v in DYNAMIC_EQ.items() if k != "reference_dbfs"}]
)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_plugins_dynamic_equaliser_is_ours(
    values: Values, rate: int, tmp_path: Path, noise: NDArray[np.float64]
) -> None:
    controls = ChainControls(stages={"dynamic_eq": {**values, "design_rate_hz": float(rate)}})
    plugin = exported(controls, tmp_path, rate)
    assert len(plugin.sliders) == 1 + 2 * 6, "a band at a range of 0 dB is left out"
    assert plugin.sliders[8][3] == "dynamic EQ 2: frequency (Hz)"
    plugin.start(rate)
    beat = noise * np.where(np.arange(SAMPLES) % 700 < 250, 3.0, 0.1)
    ours = rendered(controls, beat, rate)
    assert null_db(plugin.process(beat), ours) < -100.0
    assert null_db(beat, ours) > -30.0


def test_the_plugins_mid_side_equaliser_is_ours(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    controls = ChainControls(stages={"mid_side_eq": MID_SIDE_EQ})
    plugin = exported(controls, tmp_path, 44_100)
    assert len(plugin.sliders) == 1 + 3 * 5 and plugin.sliders[14][3] == "side 2 high shelf: frequency (Hz)"
    plugin.start(44_100)
    ours = rendered(controls, noise)
    assert null_db(plugin.process(noise), ours) < -100.0 and null_db(noise, ours) > -30.0
    mid = np.stack([noise[0], noise[0]])
    plugin.start(44_100)
    assert null_db(np.diff(plugin.process(mid), axis=0) + noise[0], noise[0]) < -250.0, "no side appears"


@pytest.mark.parametrize("stage", ["dynamic_eq", "mid_side_eq"])
def test_the_curve_of_a_stage_keeps_to_the_stated_deviation_at_96_khz(stage: str, tmp_path: Path) -> None:
    """The plug-in's impulse response at 96 kHz against the curve of the controls at 44.1 kHz."""
    values = {"dynamic_eq": DYNAMIC_EQ, "mid_side_eq": MID_SIDE_EQ}[stage]
    (result,) = export_controls(ChainControls(stages={stage: values}), ["jsfx"], tmp_path / "song", 96_000)
    plugin = load(result.path)
    plugin.start(96_000)
    if stage == "dynamic_eq":  # bands that are open all the time
        plugin.variables |= {"slider4": -900.0, "slider10": -900.0, "slider6": 1e-6, "slider12": 1e-6}
        plugin.run("slider")
        g, q = (np.array(values[key])[[0, 2]] for key in ("range_db", "q"))
        hz = np.array(values["frequency_hz"])[[0, 2]]
        wanted = [(["peak"] * 2, hz, g, q * 10.0 ** (-g / 40.0))] * 2
    else:
        kinds = ["low_shelf", "peak", "high_shelf"]
        wanted = [
            (kinds, *(np.array(values[f"{part}_{key}"]) for key in ("frequency_hz", "gain_db", "q")))
            for part in ("mid", "side")
        ]
    largest = 0.0
    for sign, (kinds, hz, gains_db, qs) in zip((1.0, -1.0), wanted, strict=True):
        impulse = np.zeros((2, 4_000))
        impulse[:, 0] = 1.0, sign
        plugin.run("init")
        plugin.run("slider")
        response = np.abs(np.fft.rfft(plugin.process(impulse)[0], 2**15))
        at_hz = np.fft.rfftfreq(2**15, 1.0 / 96_000)
        inside = (at_hz > 20.0) & (at_hz < 16_000.0)
        ours = rbj.level_db(kinds, hz, gains_db, qs, at_hz[inside], 44_100)
        largest = max(largest, float(np.abs(20.0 * np.log10(response[inside]) - ours).max()))
    assert largest == pytest.approx(result.max_deviation_db, abs=5e-3)
    assert 0.001 < largest < 0.5


MOVED: dict[str, tuple[Values, dict[str, float]]] = {
    "compressor": (
        COMPRESSOR,
        {"threshold_db": -17.0, "ratio": 5.5, "attack_ms": 1.1, "release_ms": 21.0, "knee_db": 9.0,
         "makeup_db": 1.7, "mix": 0.45},
    ),
    "saturation": (SATURATION, {"drive_db": 9.0, "shape": 0.33, "bias": -0.1, "mix": 0.9}),
    "stereo": (STEREO, {"width": 0.6, "bass_frequency_hz": 250.0, "bass_amount": 0.85}),
    "dynamic_eq": (
        DYNAMIC_EQ,
        {"frequency_hz": 700.0, "q": 0.8, "threshold_db": -31.0, "range_db": -11.0, "attack_ms": 0.7,
         "release_ms": 80.0},
    ),
    "mid_side_eq": (
        MID_SIDE_EQ,
        {"mid_frequency_hz": 220.0, "mid_gain_db": -5.0, "mid_q": 0.9, "side_frequency_hz": 600.0,
         "side_gain_db": 6.0, "side_q": 0.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("stage", MOVED)
def test_sliders_of_a_stage_mean_its_controls(stage: str, tmp_path: Path, noise: NDArray[np.float64]) -> None:
    """All sliders of the stage (of its first band) moved: the plug-in equals our render with those controls."""
    values, moved = MOVED[stage]
    plugin = exported(ChainControls(stages={stage: values}), tmp_path, 44_100)
    late = 63 if stage == "saturation" else 0
    audio = 2.0 * noise[:, : 60 if late else 600]
    before = rendered(ChainControls(stages={stage: values}), audio)
    plugin.start(44_100)
    changed = dict(values)
    sliders = iter(range(2, 99))
    for key, value in moved.items():
        if key == "side_frequency_hz":  # the mid has three bands
            sliders = iter(range(2 + 3 * 3, 99))
        plugin.variables[f"slider{next(sliders)}"] = value
        old = values[key]
        changed[key] = (value, *old[1:]) if isinstance(old, tuple) else value
    plugin.run("slider")
    ours = rendered(ChainControls(stages={stage: changed}), audio)
    assert null_db(plugin.process(np.pad(audio, ((0, 0), (0, late))))[:, late:], ours) < -100.0
    assert null_db(before, ours) > -40.0


def test_settings_of_a_stage_are_its_own(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    """A compressor whose thresholds stand on −24 dBFS, and a saturation at twice the sample rate."""
    compressor = {**COMPRESSOR, "reference_dbfs": -24.0}
    saturation = {**SATURATION, "render_hz": 88_200.0}
    for stages in ({"compressor": compressor}, {"saturation": saturation}):
        controls = ChainControls(stages=stages)
        plugin = exported(controls, tmp_path, 44_100)
        plugin.start(44_100)
        late = round(plugin.variables.get("pdc_delay", 0.0))
        audio = 2.0 * noise[:, :200]
        theirs = plugin.process(np.pad(audio, ((0, 0), (0, late))))[:, late:]
        assert null_db(theirs, rendered(controls, audio)) < -100.0
        (name, values), *_ = stages.items()
        default = {k: v for k, v in values.items() if k not in ("reference_dbfs", "render_hz")}
        assert null_db(theirs, rendered(ChainControls(stages={name: default}), audio)) > -90.0


def test_a_whole_chain_in_one_plugin(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    limiter = {
        "threshold_db": -6.0,
        "release_ms": 30.0,
        "ceiling_db": -1.0,
        "amount": 0.5,
        "lookahead_ms": 5.0,
    }
    held = {
        "compressor": COMPRESSOR,
        "dynamic_eq": DYNAMIC_EQ,
        "mid_side_eq": MID_SIDE_EQ,
        "saturation": SATURATION,
        "stereo": STEREO,
    }
    stages = {**held, "chain_limiter": limiter}
    controls = replace(CONTROLS, stages=stages, residual="phase 2")
    (result,) = export_controls(controls, ["jsfx"], tmp_path / "song", 44_100)
    assert result.left_out == ("chain_limiter", "residual")
    text = result.path.read_text()
    assert "Not in this file: limiter of the chain, residual." in text
    assert "compressor, dynamic equaliser, mid-side equaliser, saturation, stereo width." in text
    plugin = load(result.path)
    assert len(plugin.sliders) == 1 + 12 + 7 + 2 * 6 + 5 * 3 + 4 + 3
    plugin.start(44_100)
    audio = noise[:, :300]
    controls = replace(controls, residual=None, stages=held)
    theirs = plugin.process(np.pad(audio, ((0, 0), (0, 63))))[:, 63:]
    # behind the end the plug-in's equaliser rings on into the saturation's filters, ours is cut there
    same = slice(None, -70)
    assert null_db(theirs[:, same], rendered(controls, audio)[:, same]) < -90.0


def test_forms_that_a_plugin_cant_hold_are_named(tmp_path: Path) -> None:
    bands = {
        key: (value,) * 3 for key, value in COMPRESSOR.items() if key.endswith(("db", "ms")) or key == "ratio"
    }
    stages: dict[str, Values] = {
        "compressor": {
            **bands,
            "mix": 0.5,
            "crossovers_hz": (150.0, 2500.0),
            "link_max": 0.0,
            "input_lufs": -20.0,
        },
        "saturation": {**SATURATION, "unit_weight": (0.5, 0.5)},
        "stereo": {"width": (1.0, 1.2), "crossovers_hz": (200.0,)},
        "dynamic_eq": {**DYNAMIC_EQ, "q": (1.0, 2.0)},
        "mid_side_eq": {key: value for key, value in MID_SIDE_EQ.items() if key != "design_rate_hz"},
    }
    (result,) = export_controls(ChainControls(stages=stages), ["jsfx"], tmp_path / "song", 44_100)
    assert result.left_out == tuple(stages)


def test_twenty_bands_leave_no_sliders_for_stages(tmp_path: Path, noise: NDArray[np.float64]) -> None:
    """The stages are there all the same, with fixed numbers."""
    bands = Bands.of(EqBand("peak", 100.0 * (i + 1), 1.0, 1.0) for i in range(20))
    controls = ChainControls(eq=bands, stages={"compressor": COMPRESSOR, "stereo": STEREO})
    plugin = exported(controls, tmp_path, 44_100)
    assert len(plugin.sliders) == 64 and plugin.sliders[62][3].startswith("stereo")
    plugin.start(44_100)
    assert null_db(plugin.process(noise), rendered(controls, noise)) < -100.0


def test_dynamic_bands_get_sliders_as_long_as_there_are_any(
    tmp_path: Path, noise: NDArray[np.float64]
) -> None:
    """Twelve bands want 72 sliders of 63: ten bands get theirs, two keep their numbers."""
    count = 12
    values: Values = {
        key: value[:1] * count if isinstance(value, tuple) else value for key, value in DYNAMIC_EQ.items()
    }
    values |= {"bands": float(count), "frequency_hz": tuple(300.0 + 700.0 * i for i in range(count))}
    controls = ChainControls(stages={"dynamic_eq": values})
    plugin = exported(controls, tmp_path, 44_100)
    assert len(plugin.sliders) == 1 + 6 * 10
    plugin.start(44_100)
    audio = 2.0 * noise[:, :400]
    assert null_db(plugin.process(audio), rendered(controls, audio)) < -100.0


def test_a_sliders_range_reaches_its_value(tmp_path: Path) -> None:
    """Controls that a person wrote may lie outside of a device's range; REAPER would clip them."""
    values = COMPRESSOR | {"threshold_db": -55.0, "ratio": 30.0}
    plugin = exported(ChainControls(stages={"compressor": values}), tmp_path, 44_100)
    assert plugin.sliders[2][:3] == (-55.0, -55.0, 0.0) and plugin.sliders[3][:3] == (30.0, 1.0, 30.0)
    assert plugin.sliders[4][:3] == (2.5, 0.1, 30.0)
