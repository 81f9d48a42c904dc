"""python -m benchmarks.search_simulation [--surrogate FOLDER] [--tasks 34] [--seeds 1]: tuners on recorded curves.

Searches in virtual time on the surrogate of LCBench (Zimmer et al. 2021; YAHPO Gym, Pfisterer et al. 2022): perceptrons
on tables, 34 data sets, seven hyperparameters, the validation accuracy and the seconds of every epoch. KerasTuner's
Hyperband runs its whole sweep; each other tuner gets twice the seconds that took, and the time in which it reaches the
validation accuracy that Hyperband ended with is compared. One trial at a time, no cost of choosing. The surrogate has
no noise, so each score gets some. FOLDER holds model.onnx and encoding.json. Writes results/search_simulation.json.
"""

import argparse
import functools
import hashlib
import json
import math
import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.result_files import result_options, write_result

MAX_EPOCHS = 27
NOISE = 0.004  # standard deviation of a score: that of 90 % on about 5,600 images
LAST_EPOCH = 52  # of the surrogate


class Surrogate:
    """Curves of the configurations of one data set at a time."""

    def __init__(self, folder: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(folder / "model.onnx", options)
        codes = json.loads((folder / "encoding.json").read_text(encoding="utf-8"))["OpenML_task_id"]
        self.codes = {name: code for name, code in codes.items() if code}

    @functools.lru_cache(maxsize=100_000)  # noqa: B019 (there is one)
    def curve(self, task: str, configuration: tuple) -> tuple[np.ndarray, np.ndarray]:
        """(seconds so far, validation accuracy) after each epoch."""
        values = dict(configuration)
        names = (
            "batch_size",
            "learning_rate",
            "momentum",
            "weight_decay",
            "num_layers",
            "max_units",
            "max_dropout",
        )
        rows = [[epoch, *(values[name] for name in names)] for epoch in range(1, LAST_EPOCH + 1)]
        inputs = {
            "x_cat": np.full((LAST_EPOCH, 1), self.codes[task], np.int32),
            "x_cont": np.array(rows, np.float32),
        }
        outputs = self._session.run(None, inputs)[0]
        seed = int(hashlib.sha256(repr((task, configuration)).encode()).hexdigest()[:8], 16)
        noise = np.random.default_rng(seed).normal(0, NOISE, LAST_EPOCH)
        return np.maximum.accumulate(np.maximum(outputs[:, 0], 0.1)), outputs[:, 1] / 100 + noise


def space():
    import keras_tuner as kt

    hp = kt.HyperParameters()
    hp.Int("batch_size", 16, 512, sampling="log", default=91)
    hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=3e-3)
    hp.Float("momentum", 0.1, 0.99, default=0.545)
    hp.Float("weight_decay", 1e-5, 0.1, default=0.05)
    hp.Int("num_layers", 1, 5, default=3)
    hp.Int("max_units", 64, 1024, sampling="log", default=256)
    hp.Float("max_dropout", 0.0, 1.0, default=0.5)
    return hp


def make(kind: str, seed: int, folder: Path):
    """An oracle that writes nothing."""
    import keras_tuner as kt

    from tuning.oracles.auto import AutoOracle
    from tuning.oracles.bayesian import BayesianOracle
    from tuning.oracles.hyperband import BracketOracle

    halving = {"max_epochs": MAX_EPOCHS}
    kinds: dict = {
        "KerasTuner Hyperband": (kt.oracles.HyperbandOracle, halving | {"factor": 3}),
        "KerasTuner random": (kt.oracles.RandomSearchOracle, {"max_trials": 10_000}),
        "KerasTuner Bayesian": (kt.oracles.BayesianOptimizationOracle, {"max_trials": 10_000}),
        "hyperband": (BracketOracle, halving),
        "bayesian": (BayesianOracle, {}),
        "auto": (AutoOracle, {}),
    }
    base, arguments = kinds[kind]
    nothing = {"_save_trial": lambda self, trial: None, "save": lambda self: None}
    oracle = type(base.__name__, (base,), nothing)(
        objective=kt.Objective("val_accuracy", "max"), hyperparameters=space(), seed=seed + 1, **arguments
    )
    oracle.verbose = 0
    if isinstance(oracle, AutoOracle):  # as for a user's own model
        oracle.max_epochs, oracle.trains_default_in_full, oracle.continues = MAX_EPOCHS, False, True
    if kind == "bayesian":
        oracle.max_trials = 30  # of which it takes a third at random
    oracle._set_project_dir(folder, kind)
    return oracle


def simulate(oracle, surrogate: Surrogate, task: str, seconds: float) -> list[tuple[float, float]]:
    """(time, best validation accuracy so far) whenever it improved, within so many seconds."""
    now, best, found = 0.0, -math.inf, []
    while now < seconds and (trial := oracle.create_trial("t")).status == "RUNNING":
        values = trial.hyperparameters.values
        configuration = tuple(sorted((k, v) for k, v in values.items() if not k.startswith("tuner/")))
        times, accuracies = surrogate.curve(task, configuration)
        epochs, initial = values.get("tuner/epochs", MAX_EPOCHS), values.get("tuner/initial_epoch", 0)
        now += float(times[epochs - 1] - (times[initial - 1] if initial else 0.0))
        score = float(accuracies[:epochs].max())
        oracle.update_trial(trial.trial_id, {"val_accuracy": score, "val_loss": 1 - score})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
        if score > best:
            best = score
            found.append((now, best))
    return [*found, (now, best)]


def compare(kind: str, rivals: dict, surrogate: Surrogate) -> dict:
    """Of all data sets and seeds: how many times as soon as Hyperband, and how much better after its time."""
    factors, differences = [], []
    for (task, seed), rival in rivals.items():
        total, level = rival[-1]
        with tempfile.TemporaryDirectory() as folder:
            found = simulate(make(kind, seed, Path(folder)), surrogate, task, 2 * total)
        factors.append(total / next((time for time, value in found if value >= level), math.inf))
        differences.append(
            max(value for time, value in found if time <= total or time == found[0][0]) - level
        )
    reached = [factor for factor in factors if factor > 0]
    row = {
        "median_factor": statistics.median(factors),
        "geometric_mean_factor": math.exp(statistics.fmean(math.log(max(one, 0.5)) for one in factors)),
        "reached": len(reached) / len(factors),
        "mean_difference": statistics.fmean(differences),
    }
    print(kind, row, flush=True)
    return row


def main(options) -> None:
    surrogate = Surrogate(options.surrogate)
    rivals = {}
    for task in list(surrogate.codes)[:: max(1, len(surrogate.codes) // options.tasks)]:
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                rival = make("KerasTuner Hyperband", seed, Path(folder))
                rivals[task, seed] = simulate(rival, surrogate, task, math.inf)
    kinds = ("auto", "hyperband", "KerasTuner random")
    rows = {kind: compare(kind, rivals, surrogate) for kind in kinds}
    write_result("search_simulation", {"searches": len(rivals), "max_epochs": MAX_EPOCHS, "tuners": rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--surrogate", type=Path, default=Path("../shared/lcbench"))
    parser.add_argument("--tasks", type=int, default=34)
    parser.add_argument("--seeds", type=int, default=1)
    main(parser.parse_args())
