"""PyTorch modules as ONNX graphs, and graphs ready to run on a CPU.

The exporter is PyTorch's older one: it takes a tenth of the newer one's time and needs no further
package; `tests/test_onnx.py` holds its numbers to PyTorch's.
"""

import io
import warnings
from collections.abc import Sequence

import onnxruntime
import torch
from torch import Tensor, nn

OPSET = 18
SAMPLE_ROWS = 2  # of what is traced; one would be taken for a constant


def export(
    graph: nn.Module, sample: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> bytes:
    """Return a module on the CPU as ONNX; the first dimension of everything is free.

    Args:
        sample: what the module takes, SAMPLE_ROWS rows each.
    """
    modes = {module: module.training for module in graph.modules()}
    target = io.BytesIO()
    graph.eval()
    with torch.inference_mode(), warnings.catch_warnings():
        # that there is a newer exporter, and that shapes are traced
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            sample,
            target,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in (*inputs, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    for module, was_training in modes.items():  # a frozen backbone has another mode than the rest
        module.training = was_training
    return target.getvalue()


def session(graph: bytes, threads: int) -> onnxruntime.InferenceSession:
    """Return a graph ready to run on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # threads that spin while they wait take the cores from decoding and from other processes
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
