"""A REAPER plug-in in text form (JSFX): equaliser, gain, and every stage that has a template, with sliders.

The biquads are those of the RBJ cookbook in double precision, transposed direct form II, recomputed when a slider
moves or the project's sample rate changes.

Stages are filled templates (`jsfx_template`), none of them known by name.
"""

from neural_mastering.controls import ChainControls, EqBand
from neural_mastering.errors import InputError
from neural_mastering.rendering.outputs.export.jsfx_stage import StageCode, fill
from neural_mastering.rendering.outputs.export.jsfx_template import load_template, shared_functions
from neural_mastering.rendering.outputs.export.preset import (
    NAMES,
    ExportBands,
    Preset,
    bands_at_rate,
    chain_stages,
    fixed,
    preset_of,
    remarks,
)

MOST_BANDS = 20
"""REAPER has 64 sliders: one for the gain and three for each band."""

TITLE = "neural_mastering equaliser"


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
    stages = _stages(controls, sample_rate, first_slider=3 * len(bands.bands) + 2)
    held = [stage.held for stage in stages]
    about, *rest = remarks(controls, bands, sample_rate, "neural_mastering chain" if held else TITLE, held)
    lines = [f"desc:{about}", *(f"// {line}" for line in rest)]
    lines.append(f"slider1:{_number(controls.gain_db)}<-60,60,0.01>Gain (dB)")
    for i, band in enumerate(bands.bands):
        lines += _sliders(i, band)
    lines += [slider for stage in stages for slider in stage.sliders]
    lines += ["", "in_pin:left", "in_pin:right", "out_pin:left", "out_pin:right", ""]
    lines += [*_init(stages), *_slider(bands, stages), "", *_sample(bands, stages)]
    return preset_of(lines, controls, bands, held)


def _stages(controls: ChainControls, sample_rate: float, first_slider: int) -> list[StageCode]:
    """Code of the stages that have a template which understands them."""
    stages: list[StageCode] = []
    for name, values in chain_stages(controls):
        template = load_template(name)
        if template is not None and template.understands(values):
            stages.append(fill(name, template, values, sample_rate, first_slider))
            first_slider += len(stages[-1].sliders)
    return stages


def _init(stages: list[StageCode]) -> list[str]:
    functions = dict.fromkeys(part for stage in stages for part in stage.functions)
    lines = ["@init", shared_functions("bands"), *(f"{part}\n" for part in functions)]
    lines += [statement for stage in stages for statement in stage.start]
    if latency := sum(stage.latency_samples for stage in stages):
        lines += [f"pdc_delay = {latency};", "pdc_bot_ch = 0;", "pdc_top_ch = 2;"]
    return lines


def _slider(bands: ExportBands, stages: list[StageCode]) -> list[str]:
    """REAPER runs @slider at the start and after @init, which a new sample rate triggers."""
    lines = ["@slider", "gain = 10 ^ (slider1 / 20);"]
    lines += [
        f"band{i + 1}.{band.kind}(slider{3 * i + 2}, slider{3 * i + 3}, slider{3 * i + 4});"
        for i, band in enumerate(bands.bands)
    ]
    return lines + [statement for stage in stages for statement in stage.on_slider]


def _sample(bands: ExportBands, stages: list[StageCode]) -> list[str]:
    lines = ["@sample"]
    for variable, side in (("spl0", "left"), ("spl1", "right")):
        lines += [f"{variable} = band{i + 1}.{side}({variable});" for i in range(len(bands.bands))]
        lines.append(f"{variable} = gain * {variable};")
    return lines + [statement for stage in stages for statement in stage.on_sample]


def _sliders(index: int, band: EqBand) -> list[str]:
    number, name = 3 * index + 2, f"{index + 1} {NAMES[band.kind]}"
    return [
        f"slider{number}:{_number(band.frequency_hz, 4)}<5,24000,0.01:log>{name}: frequency (Hz)",
        f"slider{number + 1}:{_number(band.gain_db)}<-24,24,0.01>{name}: gain (dB)",
        f"slider{number + 2}:{_number(band.q)}<0.05,40,0.001:log>{name}: Q",
    ]


def _number(value: float, decimals: int = 6) -> str:
    return fixed(value, decimals)
