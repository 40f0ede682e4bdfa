"""nm-bundle: a trained model as two plain files, safetensors and JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_mastering.atomic import write_bytes
from neural_mastering.cli.invocation import invoke_command
from neural_mastering.engineer.bundle import find_engineer
from neural_mastering.errors import InputError

if TYPE_CHECKING:  # torch takes seconds to import
    from neural_mastering.models import MasteringModel

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def bundle(
    run: Annotated[Path, typer.Argument(help="Run folder or .ckpt file to export.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="NAME.json; the weights go into NAME.safetensors next to it."),
    ],
    scale: Annotated[
        float,
        typer.Option(help="Upper limit of the confidence, 0 to 1: how much of a clear-cut EQ move to apply."),
    ] = 1.0,
    doubt_db: Annotated[
        float, typer.Option(help="Typical EQ error on unseen songs, in dB; scales small moves down.")
    ] = 0.0,
    about: Annotated[
        Path | None, typer.Option(help="JSON file that describes the model: data, recipe, measures, terms.")
    ] = None,
    onnx: Annotated[
        bool,
        typer.Option(
            "--onnx", help="Also write NAME.onnx: features in, controls out (models without residual)."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
) -> None:
    """Export a trained model as JSON and safetensors, without pickle.

    Use the result with nm-master --model NAME.json, or from Python with load_model("NAME.json").
    """
    if output.suffix != ".json":
        raise InputError(f"-o {output}: expected a name that ends in .json")
    paths = [output, output.with_suffix(".safetensors")] + [output.with_suffix(".onnx")] * onnx
    for path in paths:
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: add --overwrite to replace it, or choose another name")
    if find_engineer(run) is not None:
        raise InputError(
            f"{run} was learned by nm-learn and is a plain file already: nm-master --model {run}"
        )
    content = _about(about)
    # torch takes seconds to import; mistakes above should not wait for it
    from neural_mastering.models import CHECKPOINT_KEY, Confidence, load_model, read_checkpoint, write_bundle

    confidence = Confidence(scale, doubt_db)
    config = read_checkpoint(run)[CHECKPOINT_KEY]["model"]
    model = load_model(run)
    graph = _graph(model, output.stem) if onnx else None
    written = write_bundle(model, config, output, confidence, content)
    size = written.weights.stat().st_size + written.path.stat().st_size
    print(f"wrote {written.path} and {written.weights.name}, {size / 1e6:.2f} MB")
    if graph is not None:
        write_bytes(output.with_suffix(".onnx"), graph)
        print(f"wrote {output.with_suffix('.onnx')}, {len(graph) / 1e6:.2f} MB")


def _graph(model: MasteringModel, name: str) -> bytes:
    """The model as ONNX; made before anything is written, since it may not be possible."""
    from neural_mastering.models.describe import describe  # imports torch
    from neural_mastering.numeric.description import description_of
    from neural_mastering.numeric.model import NumericModel
    from neural_mastering.numeric.onnx_export import to_onnx

    content = describe(model)
    description = None if content is None else description_of(content)
    if description is None:
        raise InputError(
            "--onnx: expected the encoder log_mel with the head fixed or adaptive, and no chain, residual or style "
            "behind it; this model has another part"
        )
    tensors = {key: value.detach().cpu().numpy() for key, value in model.state_dict().items()}
    return to_onnx(NumericModel(description, tensors), name)


def _about(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"--about {path} can't be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(f"--about {path}: expected a JSON object")
    return content


def main() -> None:
    """Entry point: mistakes in one line, without a traceback."""
    sys.exit(invoke_command(app, "nm-bundle", sys.argv[1:]))


if __name__ == "__main__":
    main()
