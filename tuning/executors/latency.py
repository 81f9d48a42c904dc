"""How long an exported model takes for one image, measured before it is trained: weights do not change that."""

import statistics
import tempfile
import time
from pathlib import Path

import keras
import tensorflow as tf

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError
from keras_cnn.records import read_record, write_record
from keras_cnn.serving.endpoints import write_plain_model
from keras_cnn.training.make_model import untrained_model
from keras_cnn.training.run_directory import LATENCY
from tuning.executors.model_limits import TooLarge, check_size
from tuning.executors.repeats import first_repeat
from tuning.trial import TrialSpec

WARM_UP = 5  # calls that are not counted: the first ones allocate, and choose kernels
LEAST_CALLS, MOST_CALLS, ENOUGH_SECONDS = 20, 200, 0.5


def check_latency(directory: Path, spec: TrialSpec, facts: DataFacts) -> dict:
    """`latency_ms` of the model of the trial in `directory`, if the search wants to know it; else nothing.

    Measured once for a trial, its repeats, and those that continue it, so that a trial that is resumed keeps it. To be
    called before the model to train is built, for this one draws random numbers too.

    Raises:
        TooLarge: if it exceeds `spec.max_latency_ms`, or the model another limit.
    """
    if spec.max_latency_ms is None and "latency_ms" not in spec.objectives:
        return {}
    latency = _known(directory, spec)
    if latency is None:
        model = untrained_model(spec.settings, facts, directory)
        check_size(model, spec.max_parameters, spec.max_macs)
        latency = measure_latency(model, facts.dtype)
    write_record(directory / LATENCY, {"latency_ms": latency})
    measured = {"latency_ms": latency}
    if spec.max_latency_ms is not None and latency > spec.max_latency_ms:
        raise TooLarge(
            f"{latency:.3g} ms for one image are more than max_latency_ms={spec.max_latency_ms:g}", measured
        )
    return measured


def measure_latency(model: keras.Model, dtype: str) -> float:
    """The median time of a call of the SavedModel of `model` with one image (a window, of large masks), in ms.

    dtype: of the images.
    """
    image = tf.zeros((1, *model.input_shape[1:]), dtype)
    with tempfile.TemporaryDirectory() as folder:
        write_plain_model(model, folder, dtype)
        loaded = tf.saved_model.load(folder)
    serve = loaded.signatures["serving_default"]  # of `loaded`, which holds the weights
    for _ in range(WARM_UP):
        _seconds(serve, image)
    times: list[float] = []
    while len(times) < LEAST_CALLS or (len(times) < MOST_CALLS and sum(times) < ENOUGH_SECONDS):
        times.append(_seconds(serve, image))
    return 1000 * statistics.median(times)


def _seconds(serve, image: tf.Tensor) -> float:
    started = time.perf_counter()
    serve(images=image)["probabilities"].numpy()  # waits for the device
    return time.perf_counter() - started


def _known(directory: Path, spec: TrialSpec) -> float | None:
    """What was measured of the same model before."""
    folders = [directory, first_repeat(directory)]
    for folder in [*folders, directory / spec.start_from] if spec.start_from else folders:
        try:
            latency = read_record(folder / LATENCY).get("latency_ms")
        except InputError:  # missing, or damaged: then it is measured again
            continue
        if isinstance(latency, float):
            return latency
    return None
