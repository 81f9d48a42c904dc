"""One attempt of repair: a net with remedies in it, and what training at its best rate made of it."""

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

FACTORS = (1.0, 0.3, 3.0)  # of its rate, at which a changed net is tried; and at the usual ones
FINAL = (1.0, 0.3, 0.1)  # of the best rate of the probe, at which it is trained for the whole budget


@dataclass(frozen=True)
class Measured:
    """After `steps` of training: loss and accuracy on images that were not trained on; chance: the loss without
    learning; told: the share of the entropy of the classes that the outputs tell, NaN where they are not finite."""

    loss: float
    accuracy: float
    chance: float
    score: float
    steps: int


@dataclass(frozen=True)
class Attempt:
    """names: of the remedies. rate: the one at which the model, whose weights are as before, trained best."""

    names: tuple[str, ...]
    model: keras.Model
    rate: float
    after: Measured


def apply_remedies(context: RepairContext, names: Iterable[str]) -> keras.Model | None:
    """A copy with these remedies in it, one after the other; None where one of them fits nothing."""
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
    """Train at the rate that a probe finds best, and at smaller ones; None where it trains at none, or diverges. Of two
    rates the smaller one is better, unless its net tells less by as much as is `asked` of one that learns.

    In 48 steps the best rate is one at the edge of what the net bears, and in a long training it may fail.
    """
    objective = objective_of(model, sample)
    probe, rates = Probe(model, sample, objective), [objective.rate * factor for factor in FACTORS]
    rates += [rate for rate in USUAL_RATES if not any(near(rate, one) for one in rates)]
    good = sorted(filter(is_above_noise, map(probe.run, rates)), key=final_score, reverse=True)
    final = [factor * trace.rate for trace in good[:1] for factor in FINAL]
    ends = {rate: _end(probe, model, sample, rate, steps) for rate in final}
    finite = {rate: end for rate, end in ends.items() if np.isfinite([end.loss, end.score]).all()}
    if not finite:
        return None
    most = max(end.score for end in finite.values())
    rate = min(rate for rate, end in finite.items() if end.score >= most - required_score)
    return Attempt(names, model, rate, finite[rate])


def train_measured(model: keras.Model, sample: Sample, rate: float, steps: int) -> Measured:
    """Train for `steps` at `rate` and measure on the images held out; the weights are put back."""
    return _end(Probe(model, sample, objective_of(model, sample)), model, sample, rate, steps)


def _end(probe: Probe, model: keras.Model, sample: Sample, rate: float, steps: int) -> Measured:
    with preserve_variables(model, model.variables):
        loss, outputs = probe.train(rate, steps)
    truth = classes_of(sample.y[len(sample) - sample.held_out :], outputs)
    logits = logits_of(outputs, final_activation(model)[0])
    guess = logits[..., 0] > 0 if logits.shape[-1] == 1 else logits.argmax(-1)
    chance = objective_of(model, sample).chance
    return Measured(loss, float((truth == guess).mean()), chance, explained_entropy(truth, logits), steps)
