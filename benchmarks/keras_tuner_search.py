"""python -m benchmarks.keras_tuner_search [--trials 24] [--rounds 3] [--kills 5]: a user's own search, both ways.

A `build(hp)` on CIFAR-10 arrays is searched by `keras_tuner.RandomSearch` and by `tuning.RandomSearch` alternately; the
same search of ours is then killed at random moments and run again until it ends. Writes
results/keras_tuner_search.json.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.result_files import result_options, write_result
from keras_cnn.records import read_json

SECONDS_BETWEEN_KILLS = (15.0, 60.0)
ONE_SECOND = 1.0


def build(hp):
    import keras

    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)])
    for block in range(hp.Int("blocks", 1, 3)):
        model.add(
            keras.layers.Conv2D(
                hp.Choice("filters", [8, 16]) * 2**block, 3, padding="same", activation="relu"
            )
        )
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def search(kind: str, folder: str, trials: int, images: int, epochs: int) -> None:
    """What a user's script does."""
    import keras_tuner

    import tuning
    from keras_cnn import load

    train = load("cifar10").train
    x, y = train.images[:images], train.labels[:images]
    kinds = {"stock": keras_tuner.RandomSearch, "ours": tuning.RandomSearch}
    tuner = kinds[kind](build, objective="val_accuracy", max_trials=trials, seed=1, directory=folder)
    tuner.search(x, y, epochs=epochs, batch_size=64, validation_split=0.2, verbose=0)


def start(kind: str, folder: Path, options) -> subprocess.Popen:
    numbers = [str(number) for number in (options.trials, options.images, options.epochs)]
    command = [sys.executable, "-m", "benchmarks.keras_tuner_search", "--child", kind, str(folder), *numbers]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ended(folder: Path) -> dict[str, float]:
    """Score of each trial that has completed."""
    paths = folder.glob("untitled_project/trial_*/trial.json")
    trials = {path.parent.name: read_json(path) for path in paths}
    return {name: trial["score"] for name, trial in trials.items() if trial["status"] == "COMPLETED"}


def measured(kind: str, folder: Path, options) -> dict:
    """One whole search: seconds, and megabytes of all its processes after a quarter of the trials and at its end."""
    started, process, memory = time.perf_counter(), start(kind, folder, options), {}
    while process.poll() is None:
        time.sleep(ONE_SECOND)
        memory[len(ended(folder))] = max(megabytes(process.pid), memory.get(len(ended(folder)), 0.0))
    seconds = time.perf_counter() - started
    assert process.returncode == 0, kind
    early = [value for count, value in memory.items() if count <= options.trials // 4]
    return {
        "seconds": seconds,
        "trials_per_hour": 3600 * len(ended(folder)) / seconds,
        "megabytes_early": max(early, default=0.0),
        "megabytes_most": max(memory.values()),
        "best": max(ended(folder).values()),
    }


def megabytes(pid: int) -> float:
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 1e6
    except psutil.Error:
        return 0.0


def killed(folder: Path, options) -> int:
    """A search that is killed again and again until it ends; returns how often."""
    draw, kills = random.Random(0), 0
    while True:
        process = start("ours", folder, options)
        try:
            process.wait(draw.uniform(*SECONDS_BETWEEN_KILLS) if kills < options.kills else None)
            return kills
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    for name, default in (("trials", 24), ("images", 5000), ("epochs", 3), ("rounds", 3), ("kills", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    if options.child:
        kind, folder, *numbers = options.child
        search(kind, folder, *map(int, numbers))
        return
    rounds: dict[str, list[dict]] = {"stock": [], "ours": []}
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.rounds):
            for kind, results in rounds.items():
                results.append(measured(kind, Path(name) / f"{kind}-{number}", options))
                print(kind, results[-1], flush=True)
        expected, folder = ended(Path(name) / "ours-0"), Path(name) / "killed"
        kills = killed(folder, options)
        found = ended(folder)
        other = sum(found.get(trial) != score for trial, score in expected.items())
    ratios = [
        ours["trials_per_hour"] / stock["trials_per_hour"]
        for ours, stock in zip(rounds["ours"], rounds["stock"], strict=True)
    ]
    write_result(
        "keras_tuner_search",
        {
            "rounds": rounds,
            "ratio_of_trials_per_hour": statistics.median(ratios),
            "killed": {"kills": kills, "trials": len(found), "other_scores": other},
        },
    )


if __name__ == "__main__":
    main()
