"""Published rules that detect untrainable networks, reimplemented on the measurements of a short training.

Each gets 480 steps at the configured learning rate, as many as the diagnosis uses there. Thresholds are the papers'.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Observed:
    """Measurements before and after the steps.

    Args:
        gradients: of each layer before the steps, in order of execution.
        gradients_after: after the steps.
        dead: share of dead units of each layer, the larger of before and after.
        saturated: share of saturated outputs of each layer, the larger of before and after.
        variances: of the outputs of each layer after the steps.
        logit_std: standard deviation of the logits over images before the steps.
        rate: learning rate.
        accuracy: on held-out images, (before, after).
        losses: of each step.
    """

    gradients: list[np.ndarray]
    gradients_after: list[np.ndarray]
    dead: list[float]
    saturated: list[float]
    variances: list[float]
    logit_std: float
    rate: float
    accuracy: tuple[float, float]
    losses: list[float]


def observe(model, sample, objective, steps: int) -> Observed:
    """Measure, train for `steps`, and measure again; all variables are restored."""
    from keras_cnn.diagnosis.graph.layer_signals import measure_signals
    from keras_cnn.diagnosis.probe.probe import Probe
    from keras_cnn.training.ema import preserve_variables

    def measure():
        values_by_name = {}
        signals = measure_signals(
            model, sample, objective, lambda name, values: values_by_name.update({name: values.numpy()})
        )
        return signals, [values for name, values in values_by_name.items() if name.startswith("gradients/")]

    def accuracy(probe):
        _, outputs = probe.measure()
        return float((outputs.argmax(-1) == sample.y[len(sample) - sample.held_out :]).mean())

    before, gradients = measure()
    with preserve_variables(model, model.variables):
        probe = Probe(model, sample, objective)
        first = accuracy(probe)
        losses = probe.run(objective.rate, steps).losses
        probe.train(objective.rate, steps)
        last = accuracy(probe)
        after, gradients_after = measure()
    return Observed(
        gradients,
        gradients_after,
        [max(a.dead or 0, b.dead or 0) for a, b in zip(before.layers, after.layers, strict=True)],
        [max(a.saturated or 0, b.saturated or 0) for a, b in zip(before.layers, after.layers, strict=True)],
        [layer.variance for layer in after.layers],
        before.logit_std,
        objective.rate,
        (first, last),
        losses,
    )


def _norm(gradient: np.ndarray) -> float:
    return float(np.mean(np.abs(gradient)))


def autotrainer(observed: Observed) -> bool:
    """Zhang et al. 2021 (ICSE): vanishing, exploding, dying, slow; their default thresholds."""
    for gradients in (observed.gradients, observed.gradients_after):
        first, last = _norm(gradients[0]), _norm(gradients[-1])
        ratio = first / last if last else 0.0
        dying = np.mean(np.concatenate([g.ravel() for g in gradients]) == 0) >= 0.7
        if (ratio < 1e-3 and first < 1e-4) or ratio > 70 or dying or not np.isfinite(ratio):
            return True
    return observed.accuracy[1] - observed.accuracy[0] < 0.01


def deep_diagnosis(observed: Observed) -> bool:
    """Wardat et al. 2022 (ICSE): tiny gradients, dead and saturated units, tensors and learning rates out of range."""
    tiny = any(_norm(gradient) < 1e-7 for gradient in observed.gradients_after)
    ranges = any(not 1e-5 < variance < 10 for variance in observed.variances)
    not_falling = not np.mean(observed.losses[-10:]) < np.mean(observed.losses[:10])
    far = not 1e-5 < observed.rate < 1e-1
    return tiny or max(observed.dead) >= 0.7 or max(observed.saturated) > 0.5 or ranges or not_falling or far


def bttackler(observed: Observed) -> bool:
    """Pei et al. 2024 (KDD): vanishing (median), exploding (maximum), dead units, no gain."""
    values = np.abs(np.concatenate([gradient.ravel() for gradient in observed.gradients_after]))
    no_gain = not np.mean(observed.losses[-10:]) < 0.99 * np.mean(observed.losses[:10])
    return bool(np.median(values) < 1e-5 or values.max() > 1e4 or max(observed.dead) > 0.5 or no_gain)


def gradient_ratio(observed: Observed) -> bool:
    """Norms of the first and the last gradient a factor of 1,000 apart."""
    first, last = (float(np.linalg.norm(observed.gradients[index])) for index in (0, -1))
    return not 1e-3 < first / max(last, 1e-30) < 1e3


def logit_spread(observed: Observed) -> bool:
    """A standard deviation of the logits over images below 0.001."""
    return not observed.logit_std > 1e-3


BASELINES = {
    "AUTOTRAINER's thresholds": autotrainer,
    "DeepDiagnosis's thresholds": deep_diagnosis,
    "BTTackler's thresholds": bttackler,
    "first / last gradient, a factor of 1,000": gradient_ratio,
    "standard deviation of the logits below 0.001": logit_spread,
}
