"""One attempt of a repair: a model with remedies applied, trained at its best learning rate."""

from collections.abc import Iterable
from dataclasses import dataclass

import keras
import numpy as np

from keras_cnn.diagnosis.graph.graph import final_activation
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import final_score, is_above_noise
from keras_cnn.diagnosis.probe.objective import logits_of, objective_of
from keras_cnn.diagnosis.probe.probe import Probe
from keras_cnn.diagnosis.probe.schedule import USUAL_RATES, near
from keras_cnn.diagnosis.probe.score import classes_of, explained_entropy
from keras_cnn.diagnosis.remedies.remedies import REMEDIES, RepairContext
from keras_cnn.training.ema import preserve_variables

# learning rate / configured learning rate, probed in addition to `USUAL_RATES`
PROBE_LR_RATIOS = (1.0, 0.3, 3.0)
# learning rate / best learning rate of the probe, in trainings of the whole budget
FINAL_LR_RATIOS = (1.0, 0.3, 0.1)


@dataclass(frozen=True)
class Measured:
    """A model on held-out images after training.

    Args:
        loss: in nats.
        accuracy: in [0, 1].
        chance: loss of a model that predicts the class frequencies, in nats.
        score: explained entropy in [0, 1]; NaN if outputs are not finite.
        steps: of the training.
    """

    loss: float
    accuracy: float
    chance: float
    score: float
    steps: int


@dataclass(frozen=True)
class Attempt:
    """A model with remedies applied, and the result of its training.

    Args:
        names: of the remedies.
        model: with its initial weights.
        rate: learning rate at which it trained best.
        after: measured after training.
    """

    names: tuple[str, ...]
    model: keras.Model
    rate: float
    after: Measured


def apply_remedies(context: RepairContext, names: Iterable[str]) -> keras.Model | None:
    """A copy of the model with these remedies applied in order; None if one of them does not apply."""
    model: keras.Model | None = context.model
    for name in names:
        objective = objective_of(model, context.sample) if model is not context.model else context.objective
        model = REMEDIES[name](RepairContext(model, context.sample, objective, context.rate))
        if model is None:
            return None
    return model


def attempt(
    model: keras.Model, names: tuple[str, ...], sample: Sample, steps: int, required_score: float
) -> Attempt | None:
    """Train at the best learning rate of a probe and at smaller ones.

    The best learning rate of 48 steps is close to divergence and may fail in a longer training, so that the smallest
    learning rate within `required_score` of the best score is chosen.

    Args:
        model: with remedies applied.
        names: of the remedies.
        sample: images and labels.
        steps: of each training.
        required_score: score at which a model counts as learning, in [0, 1].

    Returns:
        The attempt; None if the model learns at no learning rate, or diverges.
    """
    objective = objective_of(model, sample)
    probe, rates = Probe(model, sample, objective), [objective.rate * factor for factor in PROBE_LR_RATIOS]
    rates += [rate for rate in USUAL_RATES if not any(near(rate, one) for one in rates)]
    good = sorted(filter(is_above_noise, map(probe.run, rates)), key=final_score, reverse=True)
    final = [factor * trace.rate for trace in good[:1] for factor in FINAL_LR_RATIOS]
    ends = {rate: _end(probe, model, sample, rate, steps) for rate in final}
    finite = {rate: end for rate, end in ends.items() if np.isfinite([end.loss, end.score]).all()}
    if not finite:
        return None
    best_score = max(end.score for end in finite.values())
    rate = min(rate for rate, end in finite.items() if end.score >= best_score - required_score)
    return Attempt(names, model, rate, finite[rate])


def train_measured(model: keras.Model, sample: Sample, rate: float, steps: int) -> Measured:
    """Train for `steps` at learning rate `rate` and measure on held-out images; variables are restored."""
    return _end(Probe(model, sample, objective_of(model, sample)), model, sample, rate, steps)


def _end(probe: Probe, model: keras.Model, sample: Sample, rate: float, steps: int) -> Measured:
    with preserve_variables(model, model.variables):
        loss, outputs = probe.train(rate, steps)
    truth = classes_of(sample.y[len(sample) - sample.held_out :], outputs)
    logits = logits_of(outputs, final_activation(model)[0])
    predicted = logits[..., 0] > 0 if logits.shape[-1] == 1 else logits.argmax(-1)
    chance = objective_of(model, sample).chance
    return Measured(loss, float((truth == predicted).mean()), chance, explained_entropy(truth, logits), steps)
