"""One run from its settings to a directory that holds everything: what `python -m keras_cnn train` does."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from keras_cnn.data.facts import Split
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.files import read_json, write_json
from keras_cnn.runs import METRICS, RUN, TEST, Run
from keras_cnn.training.evaluate import measure, predict
from keras_cnn.training.pictures import write_pictures
from keras_cnn.training.settings import TrainSettings
from keras_cnn.training.strategy import describe, get_strategy
from keras_cnn.training.train import best_model, train


def train_run(
    settings: TrainSettings,
    directory: Path,
    *,
    devices: int | None = None,
    download: bool = False,
    say: Callable[[str], None],
) -> None:
    """Load the data, train, measure the best weights once on test, and tell each step with `say`.

    Leaves run.json, epochs.csv, metrics.json, test.json, the weights and TensorBoard logs in `directory`.
    """
    settings.check_names()
    if (directory / RUN).exists():
        raise InputError(f"{directory} already holds a run: choose another --directory.")
    data = load(**settings.load_arguments(), download=download)
    strategy = get_strategy(devices)
    for note in data.facts.notes:
        say(f"note: {note}")
    say(describe(strategy, settings.batch_size))
    run = Run(directory, settings, data.facts)
    run.write()
    result = train(settings, data, directory, strategy=strategy, report=epoch_line(settings.epochs, say))
    write_json(directory / METRICS, {"state": "COMPLETED", **dataclasses.asdict(result)})
    test = measure_on_test(run, data.load_test)
    low, high = test["accuracy_interval"]
    say(
        f"best epoch {result.best_epoch}: validation accuracy {result.score:.4f}, test accuracy "
        f"{test['accuracy']:.4f} (95 % interval {low:.4f} to {high:.4f}, {test['images']} images)"
    )
    say(f"{result.parameters:,} parameters, {result.seconds:.1f} s\nrun: {directory}")
    say(f"tensorboard --logdir {directory}/logs")


def epoch_line(epochs: int, say: Callable[[str], None]) -> Callable[[int, dict], None]:
    """A report that tells each epoch in one line."""

    def report(epoch: int, logs: dict) -> None:
        say(
            f"epoch {epoch:3d}/{epochs}  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.4f}  "
            f"val_loss {logs['val_loss']:.4f}  val_accuracy {logs['val_accuracy']:.4f}  {logs['seconds']:.1f} s"
        )

    return report


def measure_on_test(run: Run, load_test: Callable[[], Split]) -> dict:
    """Measure the best weights on the test split, once: a second call reads what the first one wrote."""
    path = run.directory / TEST
    if path.exists():
        return read_json(path)
    test = load_test()
    probabilities = predict(best_model(run.settings, run.facts, run.directory), test)
    measured = measure(probabilities, test.labels)
    write_pictures(run.log_directory / "test", run.facts, test, probabilities, run.settings.epochs)
    write_json(path, measured)
    return measured
