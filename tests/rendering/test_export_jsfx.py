"""The exported JSFX, run: an interpreter of the part of EEL2 that it uses, written from the reference.

Sections @init, @slider and @sample are executed in REAPER's order with its variables (`srate`, `sliderN`, `splN`);
functions, parameters, `local` and `this.` as in EEL2: variables are global doubles that begin at 0, names
ignore case, `^` is a power, a sequence has the value of its last statement.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import sosfilt

from neural_mastering.dsp import rbj
from neural_mastering.rendering.chain import build_stages
from neural_mastering.rendering.controls import ChainControls, EqBand
from neural_mastering.rendering.export import export_controls

CONTROLS = ChainControls(
    eq=(
        EqBand("low_shelf", 81.2345, 3.4567, 0.7071),
        EqBand("peak", 431.21, -4.3211, 2.345),
        EqBand("peak", 5_123.4, 2.9876, 0.8888),
        EqBand("high_shelf", 9_000.0, -4.4444, 0.6),
    ),
    gain_db=-1.2345,
)
SAMPLES = 1_500
Scope = dict[str, float]
Value = Callable[[Scope, str], float]
"""(parameters and locals, instance) → value."""

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*|\.\d+)|([$a-z_][\w.]*)|([-+*/^=(),;]))", re.IGNORECASE)
BUILT_IN: dict[str, Callable[..., float]] = {"sin": math.sin, "cos": math.cos, "sqrt": math.sqrt, "min": min}


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
            self.variables["spl0"], self.variables["spl1"] = audio[:, n]
            self.run("sample")
            out[:, n] = self.variables["spl0"], self.variables["spl1"]
        return out


class Parser:
    """Recursive descent; compiles to closures."""

    def __init__(self, plugin: Plugin, text: str) -> None:
        self.plugin, self.tokens, self.at = plugin, [], 0
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
        if self.tokens[self.at + 1] == "=" and re.match(r"[a-z_]", self.peek()):
            name = self.take()
            self.take("=")
            value = self.assignment()
            place = self.plugin.place

            def assign(scope: Scope, instance: str) -> float:
                store, key = place(scope, instance, name)
                store[key] = result = value(scope, instance)
                return result

            return assign
        return self.sum()

    def sum(self) -> Value:
        return self.chain(self.product, {"+": lambda a, b: a + b, "-": lambda a, b: a - b})

    def product(self) -> Value:
        return self.chain(self.unary, {"*": lambda a, b: a * b, "/": lambda a, b: a / b})

    def chain(
        self, part: Callable[[], Value], operators: dict[str, Callable[[float, float], float]]
    ) -> Value:
        left = part()
        while self.peek() in operators:
            operator, right = operators[self.take()], part()
            left = (lambda o, a, b: lambda s, i: o(a(s, i), b(s, i)))(operator, left, right)
        return left

    def unary(self) -> Value:
        if self.peek() == "-":
            self.take()
            value = self.unary()
            return lambda s, i: -value(s, i)
        base = self.primary()
        if self.peek() == "^":
            self.take()
            power = self.unary()
            return lambda s, i: base(s, i) ** power(s, i)
        return base

    def primary(self) -> Value:
        token = self.take()
        if token == "(":
            parts = []
            while self.peek() != ")":
                if self.peek() == ";":
                    self.take()
                else:
                    parts.append(self.assignment())
            self.take(")")
            return lambda s, i: [part(s, i) for part in parts][-1]
        if re.match(r"[\d.]", token):
            number = float(token)
            return lambda s, i: number
        if token == "$pi":
            return lambda s, i: math.pi
        if self.peek() == "(":
            return self.call(token)
        place = self.plugin.place

        def read(scope: Scope, instance: str) -> float:
            store, key = place(scope, instance, token)
            return store.setdefault(key, 0.0)

        return read

    def call(self, name: str) -> Value:
        self.take("(")
        arguments = []
        while self.peek() != ")":
            arguments.append(self.assignment())
            if self.peek() == ",":
                self.take()
        self.take(")")
        if name in BUILT_IN:
            return lambda s, i: BUILT_IN[name](*(a(s, i) for a in arguments))
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
