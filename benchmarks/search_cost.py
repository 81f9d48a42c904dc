"""python -m benchmarks.search_cost [--data digits] [--trials 16] [--epochs 6] [--repetitions 3]: what a search costs.

The same points, the same nets, batches and epochs in float32 on all cores, by a plain Keras loop, by stock KerasTuner
(both through HyperCNN, in one process) and by this project with one worker of all cores and with a worker a core. Each
in a process of its own, in alternating repetitions; medians. Growth is the slope of the memory of all processes over
trials. TFDS_DATA_DIR is where cifar10 is. Writes results/search_cost.json.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.result_files import result_options, write_result

CONTESTANTS = ("import", "plain", "stock", "one worker", "a worker a core")


def study_of(folder: Path, options):
    """The search that stands for the points: random, of VGG nets."""
    from keras_cnn.data.sources import load
    from keras_cnn.training.config import TrainSettings
    from tuning.config import StudyConfig
    from tuning.search_settings import SearchSettings

    data = load(options.data)
    base = TrainSettings(data=options.data, epochs=options.epochs, precision="float32").resolved(data.facts)
    search = SearchSettings(tuner="random", trials=options.trials)
    threads = os.cpu_count() if options.contestant == "one worker" else 1
    return data, StudyConfig(
        folder, search, base, {"batch_size": base.batch_size}, data.facts, threads=threads
    )


def points_of(study) -> list:
    """The points as KerasTuner's HyperParameters."""
    from tuning.oracles.base import declare_space
    from tuning.oracles.make import make_oracle

    space, configurations = declare_space(study), []
    with tempfile.TemporaryDirectory() as folder:
        from dataclasses import replace

        oracle = make_oracle(replace(study, directory=Path(folder)))
        while (trial := oracle.create_trial("t")).status == "RUNNING":
            hp = space.copy()
            hp.values = trial.hyperparameters.values
            configurations.append(hp)
    return configurations


def plain(data, study, memory: list[int]) -> None:
    """What one writes by hand."""
    import gc

    import keras

    from tuning.hypermodel import HyperCNN

    hypermodel = HyperCNN(study.facts, study.base, study.fixed_hyperparameters)
    for hp in points_of(study):
        keras.backend.clear_session()
        gc.collect()
        hypermodel.fit(
            hp,
            hypermodel.build(hp),
            *_arrays(data),
            **_validation(data),
            epochs=study.base.epochs,
            verbose=0,
        )
        memory.append(_memory())


def stock(data, study, memory: list[int]) -> None:
    """KerasTuner's own loop over the same points."""
    import keras_tuner as kt

    from tuning.hypermodel import HyperCNN

    configurations = points_of(study)

    class Given(kt.Oracle):
        def populate_space(self, trial_id):
            if len(self.trials) == len(configurations):
                return {"status": "STOPPED"}
            return {"status": "RUNNING", "values": configurations[len(self.trials)].values}

        def end_trial(self, trial):
            super().end_trial(trial)
            memory.append(_memory())

    oracle = Given(
        objective=kt.Objective(study.objective, "max"),
        hyperparameters=configurations[0].copy(),
        max_trials=len(configurations),
    )
    hypermodel = HyperCNN(study.facts, study.base, study.fixed_hyperparameters)
    tuner = kt.Tuner(oracle, hypermodel, directory=str(study.directory), project_name="stock")
    tuner.search(*_arrays(data), **_validation(data), epochs=study.base.epochs, verbose=0)


def ours(data, study, memory: list[int]) -> None:
    """This project's search; the data are the workers' to load."""
    from tuning.executors.local import LocalExecutor
    from tuning.executors.resources import assign_resources
    from tuning.reporting.progress import Progress
    from tuning.search_loop import run_search

    del data
    study.write()
    with LocalExecutor(assign_resources(None, 0, None, study.threads)) as executor:

        def say(line: str) -> None:
            if line.startswith("trial"):
                memory.append(_memory() + executor.memory())

        run_search(study, executor, Progress(say))


def _arrays(data) -> tuple[np.ndarray, np.ndarray]:
    return data.train.images, data.train.labels


def _validation(data) -> dict:
    return {"validation_data": (data.validation.images, data.validation.labels)}


def _memory() -> int:
    import psutil

    return psutil.Process().memory_info().rss


def contest(options) -> None:
    """Run one contestant in this process and print what it took."""
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    import keras_tuner  # noqa: F401

    memory: list[int] = []
    if options.contestant != "import":
        run = {"plain": plain, "stock": stock}.get(options.contestant, ours)
        with tempfile.TemporaryDirectory() as folder:
            data, study = study_of(Path(folder) / "study", options)
            started = time.monotonic()
            sys.stdout.flush()
            run(data, study, memory)
            seconds = time.monotonic() - started
    else:
        seconds = 0.0
    use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in use)
    half = memory[len(memory) // 3 :]  # what is allocated at first does not grow
    growth = float(np.polyfit(range(len(half)), half, 1)[0]) if len(half) > 2 else 0.0
    print(json.dumps({"seconds": seconds, "cpu": cpu, "growth": growth, "peak": max(memory, default=0)}))


def main(options) -> None:
    found: dict[str, list[dict]] = {name: [] for name in CONTESTANTS}
    for _ in range(options.repetitions):
        for name in CONTESTANTS:
            command = [
                sys.executable,
                "-m",
                "benchmarks.search_cost",
                "--contestant",
                name,
                "--data",
                options.data,
            ]
            command += ["--trials", str(options.trials), "--epochs", str(options.epochs)]
            answer = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
            )
            found[name].append(json.loads(answer.stdout.splitlines()[-1]))
            print(f"{name}: {found[name][-1]}", file=sys.stderr, flush=True)
    middle = {
        name: {key: statistics.median(result[key] for result in results) for key in results[0]}
        for name, results in found.items()
    }
    contestants = {
        name: {
            "trials_per_hour": 3600 * options.trials / one["seconds"],
            "cpu_seconds_per_trial": one["cpu"] / options.trials,
            "growth_megabytes_per_trial": one["growth"] / 1e6,
            "peak_megabytes": one["peak"] / 1e6,
        }
        for name, one in middle.items()
        if name != "import"
    }
    write_result("search_cost", {"contestants": contestants, "import_cpu_seconds": middle["import"]["cpu"]})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    contest(options) if options.contestant else main(options)
