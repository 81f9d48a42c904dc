"""python -m benchmarks.search_table [--configurations 40] [--images 4000] [--rows FILE]: how short trainings rank.

Configurations of the space of `vgg` on a part of CIFAR-10, the default one first and then drawn at random. Each is
trained three times from new weights, for 1, 3 and 9 epochs, each time with a whole schedule of the learning rate; the
longest one's epochs 1 and 3 are what a schedule that is cut off shows. A row for each is added to FILE, which holds
what was done when it is run again. Writes results/search_table.json: how well each short score ranks.
TFDS_DATA_DIR is where cifar10 is.
"""

import argparse
import base64
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks.result_files import result_options, write_result

EPOCHS = (1, 3, 9)
ROWS = Path("runs/search_table.jsonl")


def data_of(images: int):
    """The first images of CIFAR-10's training split, a quarter of them to validate."""
    from keras_cnn.data.sources import load

    whole = load("cifar10")
    part = whole.train.images[:images], whole.train.labels[:images]
    return load(part, validation_split=0.25, class_names=whole.facts.classes)


def configurations(data, number: int) -> list[tuple[dict, object]]:
    """(hyperparameters, settings) of each."""
    from keras_cnn.training.config import TrainSettings
    from tuning.config import StudyConfig
    from tuning.oracles.base import declare_space
    from tuning.search_settings import SearchSettings
    from tuning.space.sampling import draw
    from tuning.space.trial_spec import settings_at

    base = TrainSettings(precision="float32", seed=0).resolved(data.facts)
    study = StudyConfig(Path("."), SearchSettings(tuner="random", trials=1), base, {}, data.facts)
    space = declare_space(study)
    drawn = [{}, *(draw(space, f"search_table/{index}") for index in range(1, number))]
    return [(values, settings_at(study, space, values)) for values in drawn]


def train(settings, data, strategy) -> dict:
    """Train from new weights; what it scored and cost, and which validation images it classified correctly."""
    import keras

    from keras_cnn.data.pipeline import evaluation_batches
    from keras_cnn.training.make_model import seeded_model
    from keras_cnn.training.train import Diverged, train_epochs

    keras.backend.clear_session()
    started, cpu = time.monotonic(), time.process_time()
    built = seeded_model(settings, data, strategy)
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = train_epochs(settings, data, Path(folder), strategy=strategy, built=built)
        except Diverged:
            return {"epochs": settings.epochs, "diverged": True}
    row = {
        "epochs": settings.epochs,
        "history": result.history["val_accuracy"],
        "parameters": result.parameters,
    }
    row |= {
        "seconds": time.monotonic() - started,
        "cpu": time.process_time() - cpu,
        "trained": result.trained_seconds,
    }
    scores = built[0].predict(evaluation_batches(data.validation, 256), verbose=0)
    correct = np.packbits(scores.argmax(-1) == data.validation.labels)
    return row | {"correct": base64.b64encode(correct.tobytes()).decode()}


def record(options) -> None:
    from keras_cnn.training.strategy import get_strategy, limit_threads

    limit_threads(1)
    data, strategy = data_of(options.images), get_strategy(None)
    options.rows.parent.mkdir(parents=True, exist_ok=True)
    done = {(row["index"], row["epochs"]) for row in read_rows(options.rows)}
    for index, (values, settings) in enumerate(configurations(data, options.configurations)):
        for epochs in EPOCHS:
            if (index, epochs) in done:
                continue
            row = {"index": index, "hyperparameters": values} | train(
                replace(settings, epochs=epochs), data, strategy
            )
            with options.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, default=float) + "\n")
            print(
                f"configuration {index}, {epochs} epochs: {row.get('history', ['diverged'])[-1]}", flush=True
            )


def read_rows(path: Path) -> list[dict]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def correlations(rows: list[dict]) -> dict[str, float]:
    """Spearman's rank correlation of each short score with that of the longest training."""
    histories = {(row["index"], row["epochs"]): row["history"] for row in rows if "history" in row}
    longest = EPOCHS[-1]
    whole = [index for index, epochs in histories if epochs == longest]
    final = [max(histories[index, longest]) for index in whole]
    found = {}
    for epochs in EPOCHS[:-1]:
        short = [max(histories.get((index, epochs), [0.0])) for index in whole]
        cut = [max(histories[index, longest][:epochs]) for index in whole]
        found[f"whole schedule of {epochs}"] = float(spearmanr(short, final).statistic)
        found[f"first {epochs} of {longest}"] = float(spearmanr(cut, final).statistic)
    return found | {"configurations": len(whole)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--configurations", type=int, default=40)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--rows", type=Path, default=ROWS)
    options = parser.parse_args()
    record(options)
    write_result("search_table", correlations(read_rows(options.rows)))
