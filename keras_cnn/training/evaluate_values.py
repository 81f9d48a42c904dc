"""Measure a model of regression on a split: plain numbers from its predictions."""

from collections.abc import Sequence

import numpy as np

NORMAL_975 = 1.96  # quantile of the normal distribution, of a 95 % interval


def measure_values(predicted: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict:
    """What the values (N, K) reach on `truth` (N, K), in the units of the labels.

    mae, the mean absolute error of all values, with a 95 % interval from the standard error of its mean over images;
    rmse, the root of the mean squared error; r2, the mean over values of the coefficient of determination, 1 - squared
    error / variance (of a constant value 1 without error, else 0); and the three by value in `by_value`.
    """
    errors = predicted.astype(float) - truth
    squared, spread = (errors**2).mean(axis=0), truth.astype(float).var(axis=0)
    r2 = np.where(spread > 0, 1 - squared / np.where(spread > 0, spread, 1), (squared == 0).astype(float))
    absolute = np.abs(errors)
    each, mean = absolute.mean(axis=1), float(absolute.mean())
    margin = NORMAL_975 * float(each.std(ddof=1)) / len(each) ** 0.5 if len(each) > 1 else 0.0
    rows = zip(names, absolute.mean(axis=0), np.sqrt(squared), r2, strict=True)
    return {
        "images": len(truth),
        "mae": mean,
        "mae_interval": [max(0.0, mean - margin), mean + margin],
        "rmse": float(np.sqrt(squared.mean())),
        "r2": float(r2.mean()),
        "by_value": {
            name: {"mae": float(mae), "rmse": float(rmse), "r2": float(one)} for name, mae, rmse, one in rows
        },
    }
