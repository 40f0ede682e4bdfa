"""A described model as an ONNX graph: from features to logits and controls in physical units.

Inputs and outputs have a free first axis (windows). Inputs: `long_term` (row, feature), `level` (row, 1), and
`frames` (row, feature, frame) where the model reads them. Outputs: the logits `eq_logits`, `gain_logits` and, where
bands switch themselves off, `gate_logits`; each control under its key, such as `gain_db` of the bands; and
`broadband_gain_db`. Average logits over the windows of a song before you map them: the mapped controls are those of
single windows, before gates and confidence.
"""

import json
from typing import Any

import numpy as np

from neural_mastering.errors import InputError
from neural_mastering.numeric.description import Range
from neural_mastering.numeric.model import NumericModel
from neural_mastering.numeric.operations import DEVIATION_FLOOR, LAYER_NORM_EPSILON, Operation

OPSET = 20
_IR_VERSION = 9


def to_onnx(model: NumericModel, name: str) -> bytes:
    """The graph of a model, weights in it, in float32; its metadata holds the description.

    Raises:
        InputError: the package `onnx` is not installed.
    """
    try:
        from onnx import TensorProto, helper  # an extra
    except ImportError as error:
        raise InputError("--onnx needs the package onnx: pip install onnx") from error
    builder = _Builder(helper)
    d = model.description
    for step in d.steps:
        builder.add(step, model)
    start, outputs = 0, []
    eq = d.outputs["eq"]
    for control in d.eq:
        part = builder.slice(eq, start, start + len(control.low))
        outputs.append((builder.control(part, control, control.key), len(control.low)))
        start += len(control.low)
    outputs.append((builder.control(d.outputs["gain"], d.gain, f"broadband_{d.gain.key}"), 1))
    sizes = {"eq": start, "gain": 1, "gates": len(d.kinds)}
    for key, label in (("eq", "eq_logits"), ("gain", "gain_logits"), ("gates", "gate_logits")):
        if key in d.outputs:
            builder.node("Identity", [d.outputs[key]], label)
            outputs.append((label, sizes[key]))
    long_term = next(s for s in d.steps if "long_term" in s.inputs)
    features = int(model.tensors[long_term.tensors["weight"]].shape[1])
    inputs = [("long_term", ["row", features]), ("level", ["row", 1])]
    if d.reads_frames:
        front = next(s for s in d.steps if "frames" in s.inputs)
        inputs.append(("frames", ["row", int(model.tensors[front.tensors["weight"]].shape[1]), "frame"]))
    graph = helper.make_graph(
        builder.nodes,
        name,
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in inputs],
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, ["row", size]) for key, size in outputs],
        builder.constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR_VERSION)
    helper.set_model_props(made, {"description": json.dumps(d.as_dict())})
    return made.SerializeToString(deterministic=True)


class _Builder:
    def __init__(self, helper: Any) -> None:
        self._helper = helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, kind: Any = np.float32) -> str:
        from onnx import numpy_helper  # an extra, known to be there

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def node(self, op: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        output = output or f"n{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(op, inputs, [output], **attributes))
        return output

    def slice(self, value: str, start: int, stop: int) -> str:
        ends = [self.constant([end], np.int64) for end in (start, stop, 1)]
        return self.node("Slice", [value, *ends])

    def control(self, logits: str, control: Range, name: str) -> str:
        """The map of a range, see `Range.of`."""
        low, high = np.array(control.low), np.array(control.high)
        if control.scale == "log":
            low, high = np.log(low), np.log(high)
        share = self.node("Sigmoid", [logits])
        spread = self.node("Mul", [share, self.constant(high - low)])
        if control.scale == "linear":
            return self.node("Add", [spread, self.constant(low)], name)
        return self.node("Exp", [self.node("Add", [spread, self.constant(low)])], name)

    def add(self, step: Operation, model: NumericModel) -> None:
        """The nodes of one operation, see `numeric.operations`."""
        read, output = list(step.inputs), step.output
        weights = {role: self.constant(model.tensors[name]) for role, name in step.tensors.items()}
        if step.op == "linear":
            self.node("Gemm", [read[0], weights["weight"], weights["bias"]], output, transB=1)
        elif step.op == "gelu":
            self.node("Gelu", read, output)
        elif step.op == "conv1d":
            dilation = int(step.settings["dilation"])
            reach = dilation * (model.tensors[step.tensors["weight"]].shape[2] // 2)
            inputs = [read[0], weights["weight"], weights["bias"]]
            self.node("Conv", inputs, output, dilations=[dilation], pads=[reach, reach])
        elif step.op == "layer_norm":
            self._layer_norm(read[0], weights, output, step.output in self._framewise(model))
        elif step.op == "mean_std":
            self._mean_std(read[0], output)
        elif step.op == "add":
            self.node("Sum", read, output)
        elif step.op == "concat":
            self.node("Concat", read, output, axis=1)
        else:
            assert step.op == "affine", step.op
            scaled = self.node("Mul", [read[0], self.constant(step.settings["scale"])])
            self.node("Add", [scaled, self.constant(step.settings["shift"])], output)

    def _layer_norm(self, value: str, weights: dict[str, str], output: str, over_channels: bool) -> None:
        if not over_channels:
            inputs = [value, weights["weight"], weights["bias"]]
            self.node("LayerNormalization", inputs, output, axis=1, epsilon=LAYER_NORM_EPSILON)
            return
        turned = self.node("Transpose", [value], perm=[0, 2, 1])
        inputs = [turned, weights["weight"], weights["bias"]]
        normed = self.node("LayerNormalization", inputs, axis=2, epsilon=LAYER_NORM_EPSILON)
        self.node("Transpose", [normed], output, perm=[0, 2, 1])

    def _mean_std(self, value: str, output: str) -> None:
        axes = self.constant([2], np.int64)
        mean = self.node("ReduceMean", [value, axes], keepdims=1)
        away = self.node("Sub", [value, mean])
        variance = self.node("ReduceMean", [self.node("Mul", [away, away]), axes], keepdims=0)
        deviation = self.node("Sqrt", [self.node("Add", [variance, self.constant(DEVIATION_FLOOR**2)])])
        self.node("Concat", [self.node("Squeeze", [mean, axes]), deviation], output, axis=1)

    @staticmethod
    def _framewise(model: NumericModel) -> set[str]:
        """Names of the values that are frames."""
        found = {"frames"}
        for step in model.description.steps:
            if step.op != "mean_std" and found.intersection(step.inputs):
                found.add(step.output)
        return found
