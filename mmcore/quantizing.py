"""A backbone's graph in 8-bit integers, which some processors compute faster and none as exactly.

Static quantisation of ONNX Runtime: each layer's range is found on photos of the shop's own.
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
"""

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from mmcore.extractors import PIXELS


class _Photos(CalibrationDataReader):
    def __init__(self, photos: Sequence[np.ndarray]) -> None:
        self._left: Iterator[np.ndarray] = iter(photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        photo = next(self._left, None)
        return None if photo is None else {PIXELS: photo[None]}


def quantize_backbone(graph: bytes, photos: Sequence[np.ndarray]) -> bytes:
    """Return the graph of `export_backbone` with 8-bit weights and activations.

    Args:
        photos: (224, 224, 3) uint8 each, to find the ranges on; some tens do.
    """
    with tempfile.TemporaryDirectory() as folder:
        exact, prepared, small = (Path(folder) / name for name in ("a.onnx", "b.onnx", "c.onnx"))
        exact.write_bytes(graph)
        with contextlib.redirect_stdout(io.StringIO()):  # the library prints as it goes
            quant_pre_process(str(exact), str(prepared))
            quantize_static(
                str(prepared),
                str(small),
                _Photos(photos),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                nodes_to_exclude=_before_the_network(onnx.load(prepared).graph),
                # ranges of single photos, averaged: one odd photo widens nothing
                extra_options={"CalibMovingAverage": True},
            )
        return small.read_bytes()


def _before_the_network(graph: onnx.GraphProto) -> list[str]:
    """Return the names of what brings pixels into the network's range: everything before the first
    convolution that looks at more than one pixel.

    In integers it costs more time than the whole network, and takes exactness from every pixel.
    """
    sizes = {weight.name: tuple(weight.dims[2:]) for weight in graph.initializer}
    names = []
    for node in graph.node:
        if node.op_type == "Conv" and sizes.get(node.input[1]) != (1, 1):
            break
        names.append(node.name)
    return names
