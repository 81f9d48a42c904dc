"""The exported model in other formats: LiteRT for phones and small boards, ONNX for the runtimes of other makers.

Each is a file beside the SavedModel that takes the same images and answers probabilities: normalization is inside.
Their packages are optional: an error names the one that is missing.
"""

import contextlib
import importlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from keras_cnn.errors import InputError, unknown_name
from keras_cnn.tensorflow_import import silenced

Run = Callable[[np.ndarray], np.ndarray]  # (N, H, W, C) -> float32 (N, K), or (N, H', W', K) of masks


@dataclass(frozen=True)
class Format:
    """file: its name. exact: whether it computes in float32, and so must equal `predict`. packages: what it needs.

    write: (model, path, calibration images (N, H, W, C), whose type the file takes) -> None. load: path -> Run.
    """

    file: str
    exact: bool
    packages: tuple[str, ...]
    write: Callable
    load: Callable[[Path], Run]


def check_formats(names: Sequence[str]) -> None:
    """Raise InputError for names not in FORMATS, and where a package is not installed."""
    for name in names:
        if name not in FORMATS:
            raise unknown_name("format", name, FORMATS)
        for package in FORMATS[name].packages:
            try:
                importlib.import_module(package)
            except ImportError as error:
                install = package.split(".")[0].replace("_", "-")
                raise InputError(f"format {name} needs {install}: pip install {install} ({error}).") from None


def _write_litert(model, path: Path, calibration: np.ndarray, **converter) -> None:
    import tensorflow as tf

    plain = {
        "supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]
    }  # nothing that needs TensorFlow beside the runtime
    _export(model, path, "litert", calibration.dtype, target_spec=plain, **converter)


def _write_dynamic(model, path: Path, calibration: np.ndarray) -> None:
    import tensorflow as tf

    _write_litert(model, path, calibration, optimizations=[tf.lite.Optimize.DEFAULT])


def _write_int8(model, path: Path, calibration: np.ndarray) -> None:
    """Integers from the pixels, which float32 images are rounded to, to the probabilities, which count in 1/256."""
    import tensorflow as tf

    # of uint8, black and white make the range of the input 0..255: a pixel is its own quantized value
    low, high = (0, 255) if calibration.dtype == np.uint8 else (calibration.min(), calibration.max())
    ends = np.stack([np.full_like(calibration[0], low), np.full_like(calibration[0], high)])
    images = np.concatenate([ends, calibration]).astype(np.float32)
    _export(
        model,
        path,
        "litert",
        np.float32,
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([image[None]] for image in images),
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        inference_input_type=tf.uint8 if calibration.dtype == np.uint8 else tf.float32,
        inference_output_type=tf.uint8,
    )


def _write_onnx(model, path: Path, calibration: np.ndarray) -> None:
    import onnx

    _export(model, path, "onnx", calibration.dtype)
    written = onnx.load(path)
    graph = written.graph
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    answer = graph.output[0].name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = ["probabilities" if name == answer else name for name in names]
    graph.output[0].name = "probabilities"
    _rewrite_unknown(graph)
    onnx.checker.check_model(written)
    onnx.save(written, path)


def _rewrite_unknown(graph) -> None:
    """tf2onnx leaves two functions that ONNX lacks: erfc(x) = 1 - erf(x) of gelu, expm1(x) = e^x - 1 of celu."""
    from onnx import helper, numpy_helper

    known = {"Erfc": ("Erf", lambda inner: ("one", inner)), "Expm1": ("Exp", lambda inner: (inner, "one"))}
    if not any(node.op_type in known for node in graph.node):
        return
    nodes = []
    for node in graph.node:
        if node.op_type not in known:
            nodes.append(node)
            continue
        function, operands = known[node.op_type]
        inner = f"{node.output[0]}/inner"
        nodes.append(helper.make_node(function, node.input, [inner]))
        nodes.append(helper.make_node("Sub", operands(inner), node.output))
    graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "one"))
    del graph.node[:]
    graph.node.extend(nodes)


def _export(model, path: Path, kind: str, dtype: DTypeLike, **options) -> None:
    import tensorflow as tf

    images = tf.TensorSpec(model.input_shape, dtype, name="images")
    with _without_warnings():
        model.export(str(path), format=kind, verbose=False, input_signature=[images], **options)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence warnings of the converters that nobody here can fix."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with silenced(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def load_litert(path: Path) -> Run:
    """A LiteRT file as a function, on all cores; quantized probabilities are scaled back."""
    from ai_edge_litert.interpreter import Interpreter

    with silenced():
        interpreter = Interpreter(str(path), num_threads=os.cpu_count())
        interpreter.allocate_tensors()
    (given,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = answer["quantization"]

    def run(images: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(given["index"], images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        found = interpreter.get_tensor(answer["index"]).astype(np.float32)
        return (found - zero) * np.float32(scale) if scale else found

    return run


def load_onnx(path: Path) -> Run:
    """An ONNX file as a function."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"images": images})[0]


LITERT = ("ai_edge_litert.interpreter",)
FORMATS = {
    "litert": Format("model.tflite", True, LITERT, _write_litert, load_litert),
    "litert_dynamic": Format("model_dynamic.tflite", False, LITERT, _write_dynamic, load_litert),
    "litert_int8": Format("model_int8.tflite", False, LITERT, _write_int8, load_litert),
    "onnx": Format("model.onnx", True, ("onnx", "tf2onnx", "onnxruntime"), _write_onnx, load_onnx),
}
