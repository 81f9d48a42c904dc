"""The same point trained several times, from different seeds or on different folds: a mean and how sure it is."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from keras_cnn.training.tasks import sign_of
from tuning.config import COMPLETED
from tuning.trial import TrialSpec


def to_seed(*parts: object) -> int:
    """A NumPy and TensorFlow seed, of 31 bits, that follows from `parts`."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4]) >> 1


def repeat_name(spec: TrialSpec, number: int) -> str:
    """The sub-folder of repeat or fold `number`."""
    return f"{'fold' if spec.folds else 'repeat'}_{number}"


def repeat_spec(spec: TrialSpec, number: int) -> TrialSpec:
    """Repeat or fold `number` (from 1) of a trial, as a trial in a sub-folder; the first has the trial's seed."""
    name = repeat_name(spec, number)
    seed = spec.settings.seed if number == 1 else to_seed(spec.settings.seed, number)
    return replace(
        spec,
        settings=replace(spec.settings, seed=seed),
        start_from=f"../{spec.start_from}/{name}" if spec.start_from else None,
        logs=f"../{spec.logs}/{name}",
        repeats=1,
        folds=None,
        fold=(number, spec.folds) if spec.folds else None,
    )


def first_repeat(directory: Path) -> Path:
    """The first repeat beside the one in `directory`; of a trial that has none, the directory itself."""
    name, underscore, _ = directory.name.rpartition("_")
    return directory.with_name(f"{name}_1") if underscore else directory


def aggregate_repeats(results: Sequence[dict], names: Sequence[str]) -> dict:
    """metrics.json of a trial from those of its repeats; of one that did not complete, that one's.

    `score` is the mean, `interval` holds it with 95 % confidence (Student's t). `run` is the best of the folders
    `names`, whose `best_score`, history and epoch these are, and whose model is the one to export.
    """
    seconds = sum(result["seconds"] for result in results)
    if results[-1]["state"] != COMPLETED:
        return {**results[-1], "seconds": seconds}
    scores = np.array([result["score"] for result in results])
    sign = sign_of(results[0].get("objective", ""))
    best = max(range(len(results)), key=lambda n: (sign * results[n]["score"], -results[n]["loss"]))
    mean = float(scores.mean())
    error = float(stats.sem(scores))
    # SciPy gives NaN for a scale of 0
    low, high = stats.t.interval(0.95, len(scores) - 1, mean, error) if error else (mean, mean)
    return {
        **results[best],
        "score": mean,
        "loss": float(np.mean([result["loss"] for result in results])),
        "scores": scores.tolist(),
        "interval": [float(low), float(high)],
        "run": names[best],
        "best_epochs": [result["best_epoch"] for result in results],
        "best_score": results[best]["score"],
        "seconds": seconds,
        "trained_seconds": sum(result.get("trained_seconds", 0.0) for result in results),
        "ended": time.time(),
        **_objectives(results),
    }


def _objectives(results: Sequence[dict]) -> dict:
    """The other objectives of a trial: means, as its score is, but the training takes as long as that of all."""
    if "objectives" not in results[0]:
        return {}
    found: dict[str, float | None] = {}
    for name in results[0]["objectives"]:
        values = [result["objectives"][name] for result in results]
        if None in values:
            found[name] = None
        elif name == "seconds":
            found[name] = sum(values)
        else:  # the number of parameters is one, and stays a whole number
            found[name] = values[0] if len(set(values)) == 1 else float(np.mean(values))
    return {"objectives": found}
