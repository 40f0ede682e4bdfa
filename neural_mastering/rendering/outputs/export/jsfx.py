"""A REAPER plug-in in text form (JSFX): equaliser, gain, compressor, saturation and width with sliders.

The biquads are those of the RBJ cookbook in double precision, transposed direct form II, recomputed when a slider
moves or the project's sample rate changes.
"""

from neural_mastering.controls import ChainControls, EqBand
from neural_mastering.errors import InputError
from neural_mastering.rendering.outputs.export.jsfx_stages import StageCode, held_stages, stage_code
from neural_mastering.rendering.outputs.export.preset import (
    NAMES,
    Preset,
    bands_at_rate,
    fixed,
    left_out,
    remarks,
)

MOST_SLIDERS = 64
MOST_BANDS = 20
"""REAPER has 64 sliders: one for the gain and three for each band."""

TITLE = "neural_mastering equaliser"

_FUNCTIONS = """\
@init
// Coefficients b0, b1, b2, a1, a2 of one band (a0 = 1), after the RBJ cookbook.
function set(n0 n1 n2 d0 d1 d2) (
  this.b0 = n0 / d0;
  this.b1 = n1 / d0;
  this.b2 = n2 / d0;
  this.a1 = d1 / d0;
  this.a2 = d2 / d0;
);

function peak(hz db q) local(w c k a) (
  w = 2 * $pi * min(hz, 0.49 * srate) / srate;
  c = cos(w);
  k = sin(w) / (2 * q);
  a = 10 ^ (db / 40);
  this.set(1 + k * a, -2 * c, 1 - k * a, 1 + k / a, -2 * c, 1 - k / a);
);

function low_shelf(hz db q) local(w c a r) (
  w = 2 * $pi * min(hz, 0.49 * srate) / srate;
  c = cos(w);
  a = 10 ^ (db / 40);
  r = sqrt(a) * sin(w) / q;
  this.set(a * (a + 1 - (a - 1) * c + r), 2 * a * (a - 1 - (a + 1) * c), a * (a + 1 - (a - 1) * c - r),
           a + 1 + (a - 1) * c + r, -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - r);
);

function high_shelf(hz db q) local(w c a r) (
  w = 2 * $pi * min(hz, 0.49 * srate) / srate;
  c = cos(w);
  a = 10 ^ (db / 40);
  r = sqrt(a) * sin(w) / q;
  this.set(a * (a + 1 + (a - 1) * c + r), -2 * a * (a - 1 + (a + 1) * c), a * (a + 1 + (a - 1) * c - r),
           a + 1 - (a - 1) * c + r, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - r);
);

// One sample of one channel: x is the input, the state is in s1 and s2.
function left(x) local(y) (
  y = this.b0 * x + this.l1;
  this.l1 = this.b1 * x - this.a1 * y + this.l2;
  this.l2 = this.b2 * x - this.a2 * y;
  y
);

function right(x) local(y) (
  y = this.b0 * x + this.r1;
  this.r1 = this.b1 * x - this.a1 * y + this.r2;
  this.r2 = this.b2 * x - this.a2 * y;
  y
);
"""


def write(controls: ChainControls, sample_rate: float) -> Preset:
    """The plug-in's text, its sliders set for a project at a sample rate.

    Raises:
        InputError: more than `MOST_BANDS` bands.
    """
    bands = bands_at_rate(controls, sample_rate, decimals=(4, 6, 6))
    if len(bands.bands) > MOST_BANDS:
        raise InputError(
            f"a JSFX holds at most {MOST_BANDS} bands, these controls have {len(bands.bands)}: leave jsfx out of "
            "--export, or use fewer bands"
        )
    held = held_stages(controls)
    about, *rest = remarks(controls, bands, sample_rate, "neural_mastering chain" if held else TITLE, held)
    lines = [f"desc:{about}", *(f"// {line}" for line in rest), f"slider1:{_default(controls.gain_db)}"]
    lines[-1] += "<-60,60,0.01>Gain (dB)"
    for i, band in enumerate(bands.bands):
        lines += _sliders(i, band)
    stages, first = [], 3 * len(bands.bands) + 2
    for code in (stage_code(controls, name) for name in held):
        stages.append((code, _places(code, first)))
        if first + len(code.sliders) - 1 <= MOST_SLIDERS:
            lines += [f"slider{first + i}:{''.join(slider)}" for i, slider in enumerate(code.sliders)]
            first += len(code.sliders)
    lines += ["", "in_pin:left", "in_pin:right", "out_pin:left", "out_pin:right", "", _FUNCTIONS]
    for functions in dict.fromkeys(part for code, _ in stages for part in code.functions):
        lines.append(functions)
    lines += [statement for code, _ in stages for statement in code.start]
    if latency := sum(code.latency for code, _ in stages):
        lines += [f"pdc_delay = {latency};", "pdc_bot_ch = 0;", "pdc_top_ch = 2;"]
    # REAPER runs @slider at the start and after @init, which a new sample rate triggers.
    lines += ["@slider", "gain = 10 ^ (slider1 / 20);"]
    lines += [
        f"band{i + 1}.{band.kind}(slider{3 * i + 2}, slider{3 * i + 3}, slider{3 * i + 4});"
        for i, band in enumerate(bands.bands)
    ]
    lines += [statement.format(*places) for code, places in stages for statement in code.on_slider]
    lines += ["", "@sample"]
    for variable, side in (("spl0", "left"), ("spl1", "right")):
        lines += [f"{variable} = band{i + 1}.{side}({variable});" for i in range(len(bands.bands))]
        lines.append(f"{variable} = gain * {variable};")
    lines += [statement for code, _ in stages for statement in code.on_sample]
    return Preset("\n".join(lines) + "\n", bands.max_deviation_db, left_out(controls, held))


def _places(code: StageCode, first: int) -> list[str]:
    """What a stage's statements read: its sliders, or plain numbers where there is no room for them."""
    if first + len(code.sliders) - 1 <= MOST_SLIDERS:
        return [f"slider{first + i}" for i in range(len(code.sliders))]
    return [default for default, *_ in code.sliders]


def _sliders(index: int, band: EqBand) -> list[str]:
    number, name = 3 * index + 2, f"{index + 1} {NAMES[band.kind]}"
    return [
        f"slider{number}:{_default(band.frequency_hz, 4)}<5,24000,0.01:log>{name}: frequency (Hz)",
        f"slider{number + 1}:{_default(band.gain_db)}<-24,24,0.01>{name}: gain (dB)",
        f"slider{number + 2}:{_default(band.q)}<0.05,40,0.001:log>{name}: Q",
    ]


def _default(value: float, decimals: int = 6) -> str:
    return fixed(value, decimals)
