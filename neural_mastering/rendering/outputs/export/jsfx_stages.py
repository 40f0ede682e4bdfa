"""The grey-box stages in EEL2, REAPER's language: compressor, saturation and stereo width as we render them.

Same equations as `dsp.compressor`, `dsp.saturation` (at the same oversampling, with the same filters) and
`dsp.stereo_width`. The high-passes are recursive there; ours are their impulse responses, cut at −110 dB.
"""

from __future__ import annotations

from dataclasses import dataclass

from neural_mastering.controls import ChainControls
from neural_mastering.rendering.outputs.export.preset import fixed

Value = float | tuple[float, ...]

REFERENCE_DBFS = -18.0
"""Level at which stages that hear levels get the song's loudness."""

LATENCY_SAMPLES = 63
"""Of the saturation; REAPER takes it back."""

SLIDERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "compressor": (
        ("threshold_db", "<-40,0,0.01>", "compressor: threshold from the song's loudness (dB)"),
        ("ratio", "<1,20,0.001:log>", "compressor: ratio"),
        ("attack_ms", "<0.1,30,0.001:log>", "compressor: attack (ms)"),
        ("release_ms", "<10,500,0.01:log>", "compressor: release (ms)"),
        ("knee_db", "<0,12,0.01>", "compressor: knee (dB)"),
        ("makeup_db", "<0,24,0.01>", "compressor: make-up (dB)"),
        ("mix", "<0,1,0.001>", "compressor: mix"),
    ),
    "saturation": (
        ("drive_db", "<0,24,0.01>", "saturation: drive (dB)"),
        ("shape", "<0,1,0.001>", "saturation: shape, 0 soft to 1 hard"),
        ("bias", "<-0.5,0.5,0.001>", "saturation: bias"),
        ("mix", "<0,1,0.001>", "saturation: mix"),
    ),
    "stereo": (
        ("width", "<0,2,0.001>", "stereo: width, 0 mono, 1 unchanged"),
        ("bass_frequency_hz", "<20,300,0.01:log>", "stereo: bass below (Hz)"),
        ("bass_amount", "<0,1,0.001>", "stereo: bass to the middle"),
    ),
}
"""For each stage that a JSFX holds: control, range and name of its sliders."""

_SETTINGS = {
    "compressor": {"sidechain_hz", "link_max", "input_lufs"},
    "saturation": {"input_lufs"},
    "stereo": set(),
}

_HIGH_PASS = """\
// Butterworth high-pass of 2nd order.
function high_pass(hz) local(k n) (
  k = tan($pi * min(hz, 0.49 * srate) / srate);
  n = 1 / (1 + sqrt(2) * k + k * k);
  this.b0 = n;
  this.b1 = -2 * n;
  this.b2 = n;
  this.a1 = 2 * (k * k - 1) * n;
  this.a2 = (1 - sqrt(2) * k + k * k) * n;
);
"""

_COMPRESSOR = """\
// Gain of the compressor for one sample: feed-forward, soft knee, attack and release on the reduction in dB.
function reduce(l r) local(power over bent rounded) (
  this.sidechain > 0 ? (
    l = this.left(l);
    r = this.right(r);
  );
  power = this.link_max > 0 ? max(l * l, r * r) : 0.5 * (l * l + r * r);
  over = 10 * log10(max(power, 0.000000000001)) - this.threshold;
  rounded = over > -0.5 * this.knee ? sqr(over + 0.5 * this.knee) / (2 * max(this.knee, 0.0001)) : 0;
  bent = this.slope * (over >= 0.5 * this.knee ? over : rounded);
  this.reduction += (bent > this.reduction ? this.rise : this.fall) * (bent - this.reduction);
  1 + this.mix * (10 ^ ((this.makeup - this.reduction) / 20) - 1)
);
"""

_SATURATION = """\
// Saturation between samples: the soft clipper's mean over the line from one sample to the next (antiderivative).
function asinh(x) ( sign(x) * log(abs(x) + sqrt(x * x + 1)) );

function clip(v w) ( 0.5 * (sqrt(sqr(v + 1) + w * w) - sqrt(sqr(v - 1) + w * w)) );

function integral(v w) local(r q) (
  r = sqrt(sqr(v + 1) + w * w);
  q = sqrt(sqr(v - 1) + w * w);
  0.5 * ((v + 1) * r - (v - 1) * q + w * w * (asinh((v + 1) / w) - asinh((v - 1) / w)))
);

function set_saturation(drive shape bias mix) local(unit kept) (
  this.w = exp(shape * log(0.02));
  unit = sqrt(1 + this.w * this.w);
  kept = 10 ^ (-14 / 20);
  this.slope = unit * 10 ^ (drive / 20);
  this.offset = unit * bias;
  this.gain = clip(this.slope * kept + this.offset, this.w) - clip(this.offset - this.slope * kept, this.w);
  this.gain = 2 * kept / this.gain;
  this.rest = clip(this.offset, this.w);
  this.mix = mix;
);

// What the shaper adds between two neighbouring values of the high rate.
function added(u0 u1) local(v0 v1 mean) (
  v0 = this.slope * u0 + this.offset;
  v1 = this.slope * u1 + this.offset;
  mean = abs(v1 - v0) < 0.00001 ? clip(0.5 * (v0 + v1), this.w)
    : 0.5 * (integral(v1, this.w) - integral(v0, this.w)) / (v1 - v0);
  this.gain * (mean - this.rest) - 0.5 * (u0 + u1)
);

// Zeroth-order modified Bessel function, for the windows of the filters.
function bessel(x) local(sum term k) (
  sum = term = 1;
  k = 1;
  loop(40, term *= sqr(0.5 * x / k); sum += term; k += 1);
  sum
);

function windowed_sinc(t) local(inside) (
  inside = max(1 - sqr(t / 32), 0);
  (t == 0 ? 1 : sin($pi * t) / ($pi * t)) * bessel(9 * sqrt(inside)) / bessel(9)
);

// Filters in memory: `up` holds 65 taps for each place between two samples, `down` the low-pass of the high rate.
function design_filters() local(k i sum) (
  factor = 1;
  while(factor * srate < 0.9 * 352800) ( factor *= 2; );
  up = 0;
  down = up + 65 * factor;
  k = 0;
  loop(factor,
    sum = i = 0;
    loop(65, up[65 * k + i] = windowed_sinc(i - 32 + k / factor); sum += up[65 * k + i]; i += 1);
    i = 0;
    loop(65, up[65 * k + i] /= sum; i += 1);
    k += 1;
  );
  sum = i = 0;
  loop(64 * factor, down[i] = windowed_sinc((i - 32 * factor + 0.5) / factor); sum += down[i]; i += 1);
  i = 0;
  loop(64 * factor, down[i] /= sum; i += 1);
  dc_pole = exp(-2 * $pi * 10 / srate);
);

// Memory of one channel: 66 samples twice in a row, and the changes of 64 samples at the high rate twice in a row.
function make_room(place) local(i) (
  this.past = place;
  this.changes = place + 132;
  i = 0;
  loop(132 + 128 * factor, place[i] = 0; i += 1);
  this.at = this.place = this.before = this.blocked = 0;
);

function saturate(x) local(k i first u0 u1 sum newest) (
  this.past[this.at] = this.past[this.at + 66] = x * satur.level;
  this.at = (this.at + 1) % 66;
  first = this.past + this.at; // the oldest of 66 samples, the newest is first[65]
  // phase 0 is the sample itself; the last value of the high rate is the next sample
  u0 = first[33];
  k = 1;
  newest = this.changes + this.place;
  loop(factor,
    k < factor ? (
      sum = i = 0;
      loop(65, sum += up[65 * k + i] * first[65 - i]; i += 1);
      u1 = sum;
    ) : ( u1 = first[34]; );
    newest[k - 1] = newest[64 * factor + k - 1] = satur.added(u0, u1);
    u0 = u1;
    k += 1;
  );
  this.place = (this.place + factor) % (64 * factor);
  first = this.changes + this.place;
  sum = i = 0;
  loop(64 * factor, sum += down[i] * first[i]; i += 1);
  this.blocked = dc_pole * this.blocked + 0.5 * (1 + dc_pole) * (sum - this.before);
  this.before = sum;
  first = this.past + this.at;
  first[2] / satur.level + satur.mix * this.blocked / satur.level
);
"""

_STEREO = """\
// What the side gets: its width, and its bass turned down.
function widen(side) (
  (this.width - 1) * side + this.width * this.amount * (this.left(side) - side)
);
"""


@dataclass(frozen=True)
class StageCode:
    """Parts of a plug-in.

    Attributes:
        functions: for @init, behind the equaliser's; equal parts of two stages are written once.
        start: statements of @init.
        sliders: (default, range, name), to be numbered.
        on_slider: statements of @slider; {0}, {1} … stand for the sliders.
        on_sample: statements of @sample.
        latency: samples that the output is late.
    """

    functions: tuple[str, ...]
    start: tuple[str, ...]
    sliders: tuple[tuple[str, str, str], ...]
    on_slider: tuple[str, ...]
    on_sample: tuple[str, ...]
    latency: int = 0


def held_stages(controls: ChainControls) -> tuple[str, ...]:
    """Stages of the controls that a JSFX can hold: single-band forms with all their controls."""
    return tuple(
        name
        for name, values in controls.stages.items()
        if name in SLIDERS
        and {key for key, *_ in SLIDERS[name]}
        <= set(values)
        <= {key for key, *_ in SLIDERS[name]} | _SETTINGS[name]
        and ("input_lufs" in values or name == "stereo")
    )


def stage_code(controls: ChainControls, name: str) -> StageCode:
    """A stage's parts."""
    values = controls.stages[name]
    sliders = tuple((_number(values[key]), limits, title) for key, limits, title in SLIDERS[name])
    if name == "compressor":
        sidechain_hz = _float(values.get("sidechain_hz", 0.0))
        start = (
            f"comp.level = 10 ^ (({fixed(REFERENCE_DBFS, 1)} - {_number(values['input_lufs'])}) / 20);",
            f"comp.link_max = {1 if _float(values.get('link_max', 0.0)) > 0.0 else 0};",
            f"comp.sidechain = {_number(sidechain_hz)};",
            "comp.sidechain > 0 ? comp.high_pass(comp.sidechain);",
            "comp.reduction = comp.l1 = comp.l2 = comp.r1 = comp.r2 = 0;",
        )
        on_slider = (
            f"comp.threshold = {{0}} + {fixed(REFERENCE_DBFS, 1)};",
            "comp.slope = 1 - 1 / {1};",
            "comp.rise = 1 - exp(-1000 / ({2} * srate));",
            "comp.fall = 1 - exp(-1000 / ({3} * srate));",
            "comp.knee = {4};",
            "comp.makeup = {5};",
            "comp.mix = {6};",
        )
        on_sample = (
            "factor_c = comp.reduce(comp.level * spl0, comp.level * spl1);",
            "spl0 *= factor_c;",
            "spl1 *= factor_c;",
        )
        return StageCode((_HIGH_PASS, _COMPRESSOR), start, sliders, on_slider, on_sample)
    if name == "saturation":
        start = (
            f"satur.level = 10 ^ (({fixed(REFERENCE_DBFS, 1)} - {_number(values['input_lufs'])}) / 20);",
            "design_filters();",
            "sat0.make_room(down + 64 * factor);",
            "sat1.make_room(down + 64 * factor + 132 + 128 * factor);",
        )
        on_slider = ("satur.set_saturation({0}, {1}, {2}, {3});",)
        on_sample = ("spl0 = sat0.saturate(spl0);", "spl1 = sat1.saturate(spl1);")
        return StageCode((_SATURATION,), start, sliders, on_slider, on_sample, LATENCY_SAMPLES)
    start = ("image.l1 = image.l2 = 0;",)
    on_slider = ("image.width = {0};", "image.high_pass({1});", "image.amount = {2};")
    on_sample = ("turn = image.widen(0.5 * (spl0 - spl1));", "spl0 += turn;", "spl1 -= turn;")
    return StageCode((_HIGH_PASS, _STEREO), start, sliders, on_slider, on_sample)


def _float(value: Value) -> float:
    assert not isinstance(value, tuple)
    return float(value)


def _number(value: Value) -> str:
    return fixed(_float(value), 6)
