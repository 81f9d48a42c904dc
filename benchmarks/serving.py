"""How fast an exported model answers: the SavedModel, model.predict, LiteRT (three kinds) and ONNX Runtime.

    .venv/bin/python -m benchmarks.serving [--repetitions 9]

Latency of one image and images per second of batches of 32, uint8 32x32x3 in, probabilities out, on all cores, in
alternating repetitions of half a second in one process. Weights are random: the time does not depend on them. Writes
results/serving.json.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.result_files import result_options, spread, write_result

NETS = {
    "vgg": ("vgg", {}),
    "vgg16": ("vgg16", {"dense": [512]}),
    "convnext": ("convnext", {}),
}
BATCHES = (1, 32)
SECONDS = 0.5  # of a repetition


def main(repetitions: int) -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    from keras_cnn.models.build import build_model
    from keras_cnn.models.spec import ModelSpec

    rows = []
    for net, (architecture, options) in NETS.items():
        spec = ModelSpec(
            architecture, (32, 32, 3), 10, normalization="zero_one", batch_norm=True, options=options
        )
        with tempfile.TemporaryDirectory() as folder:
            answers = _answers(build_model(spec), Path(folder))
            for batch in BATCHES:
                images = np.random.default_rng(0).integers(0, 256, (batch, 32, 32, 3), np.uint8)
                measured: dict[str, list[float]] = {name: [] for name in answers}
                for answer in answers.values():
                    _seconds(answer, images)  # what is traced or allocated at the first calls
                for _ in range(repetitions):
                    for name, found in measured.items():
                        found.append(_seconds(answers[name], images))
                rows += [_row(net, batch, name, found) for name, found in measured.items()]
    write_result("serving", {"rows": rows})


def _answers(model, folder: Path) -> dict:
    """Runtime -> a function uint8 (N, H, W, C) -> probabilities."""
    import tensorflow as tf

    from keras_cnn.serving.endpoints import write_saved_model
    from keras_cnn.serving.formats import FORMATS

    images = np.random.default_rng(1).integers(0, 256, (100, *model.input_shape[1:]), np.uint8)
    write_saved_model(model, [str(index) for index in range(10)], str(folder / "saved"), whole_images=True)
    served = tf.saved_model.load(str(folder / "saved"))
    serve = served.signatures["serving_default"]
    answers = {
        "model.predict": lambda batch: model.predict(batch, verbose=0),
        # the loaded model is kept with its signature, which does not keep it alive
        "SavedModel": lambda batch, served=served: serve(images=tf.constant(batch))["probabilities"].numpy(),
    }
    for name, form in FORMATS.items():
        form.write(model, folder / form.file, images)
        answers[name] = form.load(folder / form.file)
    return answers


def _seconds(answer, images: np.ndarray) -> float:
    """Of a call, the mean over half a second."""
    calls, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < SECONDS:
        answer(images)
        calls += 1
    return passed / calls


def _row(net: str, batch: int, runtime: str, seconds: list[float]) -> dict:
    measured = spread([1000 * second for second in seconds])
    return {
        "net": net,
        "batch": batch,
        "runtime": runtime,
        "milliseconds": measured,
        "images_per_second": 1000 * batch / measured["median"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--repetitions", type=int, default=9)
    main(parser.parse_args().repetitions)
