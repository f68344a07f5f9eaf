"""A network's flat buffer, parted where its features are flattened: a backbone that makes them, a head that reads them.

The backbone is a flat buffer again, and LiteRT runs it as fast as the whole; the head is weights, so that gradients can
be had, for which LiteRT has nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import NotExplainable

# Where row 0 of the glyph lies, the middle of its pixels, and how far it is to the next row; columns likewise.
_GLYPH_PLACES = ((0.5, 1.0), (0.5, 1.0))

# The index of an input that is left out.
_NONE = -1
# Operators that change or join values where they are.
_IN_PLACE = ("ADD", "MUL", "RELU", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "CONCATENATION")

# Of rows, and of columns: the place of the first, and the step to the next, in pixels of the glyph.
_Places = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Dense:
    """One layer of a head. `weights`: (outputs, inputs) float32. `bias`: (outputs,) float32."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    rectified: bool


@dataclass(frozen=True, slots=True)
class PartedNetwork:
    """A backbone, the head that its features go through, and where the features lie in the glyph.

    `backbone`: a flat buffer whose output are the features, (n, rows, columns, channels) float32. `rows`, `columns`:
    float64, the middles of the features' receptive fields in pixels of the glyph, rising.
    """

    backbone: bytes
    head: tuple[Dense, ...]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]


def parted_network(flat_buffer: bytes, source: Path) -> PartedNetwork:
    """Parts the network of a flat buffer, which `source` gave. Takes up to a tenth of a second, the first time.

    Raises NotExplainable where its features, of several places in rows and columns, do not go through dense layers
    with float weights alone to the logits.
    """
    # A description of the whole format: it takes longer to import than a network takes to load.
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(flat_buffer, 0)
    graph = _Graph(model, schema)
    try:
        head, features = _head(graph)
        rows, columns = _feature_places(graph, features)
    except _OtherNetwork as other:
        raise NotExplainable(
            f"The model served has a network whose answers cannot be explained: in {source.name}, {other}. Ask without "
            "explain=true."
        ) from None
    graph.end_with(features)
    builder = flatbuffers.Builder(len(flat_buffer))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return PartedNetwork(bytes(builder.Output()), head, rows, columns)


class _OtherNetwork(Exception):
    """The network is not of the kind that can be parted; the message says where it differs."""


class _Graph:
    """A flat buffer's only subgraph, its tensors named by their indices."""

    def __init__(self, model: Any, schema: Any) -> None:
        self._model = model
        self._schema = schema
        self._subgraph = model.subgraphs[0]
        self.operators = list(self._subgraph.operators)
        self._makers = {int(output): operator for operator in self.operators for output in operator.outputs}
        self._kinds: dict[int, str] = {
            code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
        }
        self.input, self.output = int(self._subgraph.inputs[0]), int(self._subgraph.outputs[0])

    def maker(self, tensor: int) -> Any:
        """The operator that makes a tensor; None of an input or a constant."""
        return self._makers.get(tensor)

    def kind(self, operator: Any) -> str:
        """The name of what an operator does; `NOTHING` of None."""
        if operator is None:
            return "NOTHING"
        code = self._model.operatorCodes[operator.opcodeIndex]
        return self._kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def shape(self, tensor: int) -> tuple[int, ...]:
        shape = self._subgraph.tensors[tensor].shape
        return () if shape is None else tuple(int(side) for side in shape)

    def constant(self, tensor: int) -> NDArray[np.float32] | None:
        """The values of a constant of floats; None of any other tensor."""
        own = self._subgraph.tensors[tensor]
        data = self._model.buffers[own.buffer].data
        if data is None or not len(data) or own.type != self._schema.TensorType.FLOAT32:
            return None
        return np.frombuffer(data.tobytes(), np.float32).reshape(self.shape(tensor))

    def rectifies(self, operator: Any) -> bool:
        """Whether an operator ends with a ReLU. Raises _OtherNetwork where it ends with something else."""
        fused, kinds = operator.builtinOptions.fusedActivationFunction, self._schema.ActivationFunctionType
        if fused not in (kinds.NONE, kinds.RELU):
            raise _OtherNetwork("a dense layer has another activation than ReLU")
        return bool(fused == kinds.RELU)

    def margin(self, options: Any, size: int, side: int, step: int) -> float:
        """How many rows a window, `side` high, moved by `step`, is laid over the edge of an input of `size` rows."""
        if options.padding == self._schema.Padding.VALID:
            return 0
        return max(0, (-(-size // step) - 1) * step + side - size) // 2

    def end_with(self, tensor: int) -> None:
        """Makes a tensor the output, and drops the operators after the one that makes it."""
        last = self.operators.index(self._makers[tensor])
        self._subgraph.operators = self.operators[: last + 1]
        self._subgraph.outputs = np.array([tensor], np.int32)
        self._model.signatureDefs = []  # they would name the old output


def _head(graph: _Graph) -> tuple[tuple[Dense, ...], int]:
    """The dense layers that end a network, in the order of computing, and the tensor of features before them."""
    layers: list[Dense] = []
    tensor = graph.output
    while graph.kind(operator := graph.maker(tensor)) == "FULLY_CONNECTED":
        tensor, weights, bias = (int(index) for index in [*operator.inputs, _NONE][:3])
        layers.insert(0, _dense(graph, operator, weights, bias))
    if not layers:
        raise _OtherNetwork("the logits come from no dense layer")
    if graph.kind(operator) != "RESHAPE":
        raise _OtherNetwork(f"before the dense layers stands {graph.kind(operator)}, not features made flat")
    features = int(operator.inputs[0])
    shape = graph.shape(features)
    if len(shape) != 4 or min(shape[1:3]) < 2:
        raise _OtherNetwork("the dense layers read features without places in rows and columns")
    return tuple(layers), features


def _dense(graph: _Graph, operator: Any, weights: int, bias: int) -> Dense:
    values = graph.constant(weights)
    if values is None:
        raise _OtherNetwork("a dense layer has no float weights")
    addend = np.zeros(len(values), np.float32) if bias == _NONE else graph.constant(bias)
    if addend is None:
        raise _OtherNetwork("a dense layer has no float bias")
    return Dense(values, addend, graph.rectifies(operator))


def _feature_places(graph: _Graph, features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middles of the receptive fields of a tensor's rows and columns, in pixels of the glyph.

    Reckoned as by Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019.
    """
    places: dict[int, _Places] = {graph.input: _GLYPH_PLACES}
    for operator in graph.operators:
        output = int(operator.outputs[0])
        for tensor in (int(index) for index in operator.inputs if int(index) in places):
            sizes = graph.shape(tensor)[1:3]
            if _window(graph, operator):
                places[output] = _moved(graph, operator, places[tensor], sizes)
            elif graph.kind(operator) in _IN_PLACE and sizes == graph.shape(output)[1:3]:
                places[output] = places[tensor]
    if features not in places:
        raise _OtherNetwork("the features come from other layers than plain convolutions and pooling")
    height, width = graph.shape(features)[1:3]
    (top, down), (left, across) = places[features]
    return np.asarray(top + down * np.arange(height)), np.asarray(left + across * np.arange(width))


def _window(graph: _Graph, operator: Any) -> tuple[int, ...]:
    """Height and width of the window, without gaps, that an operator moves over its input; () where it moves none."""
    options, kind = operator.builtinOptions, graph.kind(operator)
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D") and (options.dilationHFactor, options.dilationWFactor) == (1, 1):
        return graph.shape(int(operator.inputs[1]))[1:3]
    if kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return options.filterHeight, options.filterWidth
    return ()


def _moved(graph: _Graph, operator: Any, places: _Places, sizes: tuple[int, ...]) -> _Places:
    """The places of the windows of an operator over an input of such places and sizes."""
    options = operator.builtinOptions
    down, across = (
        (first + ((side - 1) / 2 - graph.margin(options, size, side, step)) * between, step * between)
        for (first, between), side, step, size in zip(
            places, _window(graph, operator), (options.strideH, options.strideW), sizes, strict=True
        )
    )
    return down, across
