"""Models from .onnx and .tflite files, as the layers of this library: `read_onnx`, `read_tflite`.

Shapes come out as (height, width, channels) or (time, features) whatever order a file has, the batch axis
is dropped, and only the sizes of stored tensors are looked at, never their values. Batch norm right behind
a convolution or a dense layer becomes part of it, as does the bias added to a matrix product. Operators
without MACs (activations, reshape, pad, quantize) are rows under their own name; constants of several
values that are added or multiplied element by element count as parameters. Operators this module does not
know are rows marked "(not counted)" and are listed in `left_out`. Dilated convolutions count if a plain
window of the same size has as many positions. A weight that two operators share counts in both.
Source: ONNX operator reference, opset 21 (onnx.ai/onnx/operators); TensorFlow Lite schema.fbs, version 3.
"""

from tinylib.cost.imported import Imported, MatMul, PassThrough
from tinylib.cost.onnx_files import read_onnx
from tinylib.cost.tflite_files import read_tflite

__all__ = ["Imported", "MatMul", "PassThrough", "read_onnx", "read_tflite"]
