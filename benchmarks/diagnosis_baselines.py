"""Published rules that tell sick nets from healthy ones, re-implemented on what a short training shows.

Each is given 480 steps at the net's own rate, as many as the doctor takes there at most. Thresholds are the papers'.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Observed:
    """Before and after the steps: by layer the gradients, in order; and the outcome of the steps."""

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
    """Train for `steps`, looking before and after; the model stays as it was."""
    from keras_cnn.diagnosis.graph.layer_signals import measure_signals
    from keras_cnn.diagnosis.probe.probe import Probe
    from keras_cnn.training.ema import preserve_variables

    def probe_learning_rates():
        seen = {}
        signals = measure_signals(
            model, sample, objective, lambda name, values: seen.update({name: values.numpy()})
        )
        return signals, [values for name, values in seen.items() if name.startswith("gradients/")]

    def accuracy(probe):
        _, outputs = probe.measure()
        return float((outputs.argmax(-1) == sample.y[len(sample) - sample.held_out :]).mean())

    before, gradients = probe_learning_rates()
    with preserve_variables(model, model.variables):
        probe = Probe(model, sample, objective)
        first = accuracy(probe)
        losses = probe.run(objective.rate, steps).losses
        probe.train(objective.rate, steps)
        last = accuracy(probe)
        after, gradients_after = probe_learning_rates()
    return Observed(
        gradients,
        gradients_after,
        [max(a.dead or 0, b.dead or 0) for a, b in zip(before.layers, after.layers, strict=True)],
        [max(a.saturated or 0, b.saturated or 0) for a, b in zip(before.layers, after.layers, strict=True)],
        [layer.variance for layer in after.layers],
        before.std_over_images,
        objective.rate,
        (first, last),
        losses,
    )


def _norm(gradient: np.ndarray) -> float:
    return float(np.mean(np.abs(gradient)))


def autotrainer(seen: Observed) -> bool:
    """Zhang et al. 2021 (ICSE): vanishing, exploding, dying, slow; their default thresholds."""
    for gradients in (seen.gradients, seen.gradients_after):
        first, last = _norm(gradients[0]), _norm(gradients[-1])
        ratio = first / last if last else 0.0
        dying = np.mean(np.concatenate([g.ravel() for g in gradients]) == 0) >= 0.7
        if (ratio < 1e-3 and first < 1e-4) or ratio > 70 or dying or not np.isfinite(ratio):
            return True
    return seen.accuracy[1] - seen.accuracy[0] < 0.01


def deep_diagnosis(seen: Observed) -> bool:
    """Wardat et al. 2022 (ICSE): tiny gradients, dead and saturated units, tensors out of range, rates far off."""
    tiny = any(_norm(gradient) < 1e-7 for gradient in seen.gradients_after)
    ranges = any(not 1e-5 < variance < 10 for variance in seen.variances)
    standing = not np.mean(seen.losses[-10:]) < np.mean(seen.losses[:10])
    far = not 1e-5 < seen.rate < 1e-1
    return tiny or max(seen.dead) >= 0.7 or max(seen.saturated) > 0.5 or ranges or standing or far


def bttackler(seen: Observed) -> bool:
    """Pei et al. 2024 (KDD): vanishing (median), exploding (maximum), dead units, no gain."""
    values = np.abs(np.concatenate([gradient.ravel() for gradient in seen.gradients_after]))
    no_gain = not np.mean(seen.losses[-10:]) < 0.99 * np.mean(seen.losses[:10])
    return bool(np.median(values) < 1e-5 or values.max() > 1e4 or max(seen.dead) > 0.5 or no_gain)


def gradient_ratio(seen: Observed) -> bool:
    """Norms of the first and the last gradient a factor of 1,000 apart."""
    first, last = (float(np.linalg.norm(seen.gradients[index])) for index in (0, -1))
    return not 1e-3 < first / max(last, 1e-30) < 1e3


def logit_spread(seen: Observed) -> bool:
    """Logits that differ from image to image by less than 0.001."""
    return not seen.logit_std > 1e-3


BASELINES = {
    "AUTOTRAINER's thresholds": autotrainer,
    "DeepDiagnosis's thresholds": deep_diagnosis,
    "BTTackler's thresholds": bttackler,
    "first / last gradient": gradient_ratio,
    "logit spread": logit_spread,
}
