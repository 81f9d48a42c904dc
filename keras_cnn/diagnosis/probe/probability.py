"""The probability that a model learns at its learning rate, from the first batch and the first steps of a probe run.

One logistic regression for each number of steps, fitted to networks that were labeled by long training
(`benchmarks.learning_probability`, whose result says how well it is calibrated). The coefficients are plain numbers in
probability.json.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from keras_cnn.diagnosis.graph.layer_signals import Signals
from keras_cnn.diagnosis.probe.trace import EVAL_INTERVAL_STEPS, Trace

FILE = Path(__file__).with_name("probability.json")
STEPS = (0, 12, 24, 48, 120)  # of a run, after which the probability is computed
HOPELESS = 0.02  # a probability below it ends a run
# standard deviations and gradient ratios count as at least this, and standard deviations as at most its inverse
SMALLEST = 1e-7


@dataclass(frozen=True)
class Start:
    """What is known of a model before the first step.

    Args:
        signals: of the first batch.
        linear: score of the linear baseline, in [0, 1]; NaN if unknown.
        chance: loss of a model that predicts the class frequencies, in nats.
        rate_ratio: learning rate / the usual one of the optimizer.
    """

    signals: Signals
    linear: float
    chance: float
    rate_ratio: float


def learning_probability(start: Start, trace: Trace) -> float:
    """The probability that long training at the learning rate of a run ends with a model that has learned.

    Args:
        start: what is known before the first step.
        trace: the run so far; what it measured after the largest of 0, 12, 24, 48, 120 steps is used.

    Returns:
        A probability in [0, 1].
    """
    done = len(trace.losses)
    steps = max(count for count in STEPS if count <= done)
    model = _models()[str(steps)]
    values = features(start, trace, steps)
    logit = model["intercept"] + sum(
        weight * (values[name] - mean) / scale for name, (weight, mean, scale) in model["features"].items()
    )
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def is_hopeless(probability: float) -> bool:
    """Whether a model almost surely does not learn; False for NaN."""
    return probability < HOPELESS


def features(start: Start, trace: Trace, steps: int) -> dict[str, float]:
    """Name -> value of what the probability is computed from, all finite.

    Args:
        start: what is known before the first step.
        trace: a run of at least `steps` steps.
        steps: after which it is looked at.

    Returns:
        `score` (square root of score / 0.1, at most 1.5), `logit_std` and its growth over the second half (log10),
        `loss_drop` (1 - held-out loss / chance, in [-1, 1]) and its change. Of the first batch: gradient / weight of
        the first kernel and its ratio to the last one (log10), standard deviation over images and correlation in the
        last kernel layer. Depth (log2), linear baseline, and learning rate / the usual one (log10).
    """
    count = steps // EVAL_INTERVAL_STEPS + 1
    stds = [_bounded(one) for one in trace.logit_stds[:count]]
    drops = [_drop(loss, start.chance) for loss in trace.held_out[:count]]
    layers = start.signals.kernels
    ratios = [_bounded(layer.ratio) for layer in layers] or [SMALLEST]
    last_std, correlation = (
        (_bounded(layers[-1].std_over_images), layers[-1].correlation) if layers else (SMALLEST, 1.0)
    )
    return {
        "score": min(
            1.5, math.sqrt(max(0.0, float(np.nan_to_num(np.mean(trace.scores[:count][-2:])))) / 0.1)
        ),
        "logit_std": math.log10(stds[-1]),
        "logit_std_growth": math.log10(stds[-1] / stds[len(stds) // 2]),
        "loss_drop": drops[-1],
        "loss_drop_change": drops[-1] - drops[0],
        "first_gradient_ratio": math.log10(ratios[0]),
        "gradient_first_to_last": math.log10(ratios[0] / ratios[-1]),
        "last_std_over_images": math.log10(last_std),
        "last_correlation": correlation if math.isfinite(correlation) else 1.0,
        "depth": math.log2(1 + len(layers)),
        "linear_baseline": start.linear if math.isfinite(start.linear) else 0.0,
        "rate_ratio": math.log10(max(start.rate_ratio, SMALLEST)),
    }


def _bounded(value: float | None) -> float:
    if value is None or math.isnan(value):
        return SMALLEST
    return min(max(value, SMALLEST), 1 / SMALLEST)


def _drop(loss: float, chance: float) -> float:
    return max(-1.0, min(1.0, 1 - loss / chance)) if math.isfinite(loss) else -1.0


@cache
def _models() -> dict[str, dict]:
    return json.loads(FILE.read_text(encoding="utf-8"))["models"]
