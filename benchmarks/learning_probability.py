"""Fit the probability that a network learns to recorded probe runs, and say how well it is calibrated.

    .venv/bin/python -m benchmarks.learning_probability [--rows runs/probe_traces.jsonl]

One logistic regression for each number of steps, of the features that `keras_cnn.diagnosis.probe.probability` computes
from a run. A network counts as learning if long training labeled it healthy (`benchmarks.fault_labels`). The figures
of the development families are cross-validated, each family predicted by a fit to the others; the fresh families
(`benchmarks.fault_set`) are never fitted. Writes keras_cnn/diagnosis/probe/probability.json and
results/learning_probability.json.
"""

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from benchmarks.fault_set import FRESH_FAMILIES
from benchmarks.probe_traces import ROWS, read_rows
from benchmarks.result_files import result_options, write_result
from keras_cnn.diagnosis.probe.probability import FILE, STEPS, Start, features
from keras_cnn.diagnosis.probe.rate_scale import ADAM, MOMENTUM
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS
from keras_cnn.files import write_text

# the static checks find these without training, and the loss of the others is not one that training lowers
NOT_FITTED = ("no_softmax", "double_softmax")
STRENGTH = 1.0  # inverse of the L2 penalty of scikit-learn's LogisticRegression on standardized features
DECISIVE = 0.98  # a probability above it, or below 1 less it
BINS = (0.0, 0.02, 0.1, 0.3, 0.7, 0.9, 0.98, 1.0)  # of the reliability table


def main(options: argparse.Namespace) -> None:
    rows = [row for row in read_rows(Path(options.rows)) if row["fault"] not in NOT_FITTED]
    models, figures = {}, []
    for steps in STEPS:
        long_enough = [row for row in rows if len(row["own"]["scores"]) > steps // EVAL_INTERVAL_STEPS]
        fitted = [row for row in long_enough if row["family"] not in FRESH_FAMILIES]
        fresh = [row for row in long_enough if row["family"] in FRESH_FAMILIES]
        model = fit(fitted, steps)
        models[str(steps)] = as_numbers(model, fitted, steps)
        predicted = {"development": (fitted, cross_validated(fitted, steps))}
        if fresh:
            predicted["fresh"] = fresh, model.predict_proba(inputs(fresh, steps))[:, 1]
        for group, (group_rows, probabilities) in predicted.items():
            figures.append({"steps": steps, "group": group, **quality(outcomes(group_rows), probabilities)})
            print(figures[-1], flush=True)
    source = "python -m benchmarks.learning_probability"
    write_text(FILE, json.dumps({"source": source, "networks": len(rows), "models": models}, indent=1) + "\n")
    write_result("learning_probability", {"networks": len(rows), "figures": figures})


def fit(rows: list[dict], steps: int):
    """A standardized logistic regression of the features after `steps` steps."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000)).fit(
        inputs(rows, steps), outcomes(rows)
    )


def cross_validated(rows: list[dict], steps: int) -> np.ndarray:
    """The probability of each row by a fit to the other families."""
    families = np.array([row["family"] for row in rows])
    found = np.empty(len(rows))
    for family in set(families):
        others = [row for row in rows if row["family"] != family]
        chosen = [row for row in rows if row["family"] == family]
        found[families == family] = fit(others, steps).predict_proba(inputs(chosen, steps))[:, 1]
    return found


def outcomes(rows: list[dict]) -> np.ndarray:
    return np.array([row["label"] == "healthy" for row in rows])


def inputs(rows: list[dict], steps: int) -> np.ndarray:
    return np.array([list(features_of(row, steps).values()) for row in rows])


def features_of(row: dict, steps: int) -> dict[str, float]:
    """The features of a recorded row, as the diagnosis computes them."""
    kernels = [SimpleNamespace(**layer, ratio=_ratio(layer)) for layer in row["layers"]]
    usual = (MOMENTUM if row["optimizer"] == "sgd" else ADAM).usual[0]
    start = Start(SimpleNamespace(kernels=kernels), row["linear"], row["chance"], row["rate"] / usual)
    return features(start, SimpleNamespace(**row["own"]), steps)


def _ratio(layer: dict) -> float | None:
    return layer["gradient"] / layer["weight"] if layer["weight"] else None


def as_numbers(model, rows: list[dict], steps: int) -> dict:
    """The coefficients of a fit by the names of the features."""
    scaler, logistic = (step for _, step in model.steps)
    names = list(features_of(rows[0], steps))
    numbers = zip(logistic.coef_[0], scaler.mean_, scaler.scale_, strict=True)
    short = [[float(f"{number:.6g}") for number in one] for one in numbers]
    return {"intercept": float(logistic.intercept_[0]), "features": dict(zip(names, short, strict=True))}


def quality(learned: np.ndarray, probabilities: np.ndarray) -> dict:
    """Brier score, errors at 0.5, and share and errors of decisive probabilities; and the reliability table."""
    sure = (probabilities > DECISIVE) | (probabilities < 1 - DECISIVE)
    wrong = (probabilities > 0.5) != learned
    places = np.clip(np.digitize(probabilities, BINS) - 1, 0, len(BINS) - 2)
    table = [
        {"from": BINS[place], "to": BINS[place + 1], "networks": int((places == place).sum())}
        | {"learned": int(learned[places == place].sum())}
        for place in range(len(BINS) - 1)
    ]
    return {
        "networks": len(learned),
        "brier": round(float(np.mean((probabilities - learned) ** 2)), 4),
        "wrong": int(wrong.sum()),
        "decisive": int(sure.sum()),
        "decisive_wrong": int((wrong & sure).sum()),
        "reliability": table,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[result_options()])
    parser.add_argument("--rows", default=str(ROWS))
    main(parser.parse_args())
