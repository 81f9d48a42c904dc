"""One attempt of a repair: a model with remedies applied, trained at its best learning rate."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import keras
import numpy as np

from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import final_score, is_above_noise
from keras_cnn.diagnosis.probe.objective import logits_of, objective_of
from keras_cnn.diagnosis.probe.probe import Probe
from keras_cnn.diagnosis.probe.schedule import near
from keras_cnn.diagnosis.probe.score import classes_of, explained_entropy
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.remedies import REMEDIES
from keras_cnn.training.ema import preserve_variables

# learning rate / configured learning rate, probed in addition to the usual ones of the optimizer
PROBE_LR_RATIOS = (1.0, 0.3, 3.0)
STANDARD_ERRORS = 2.0  # above guessing, that an accuracy must be to count
# learning rate / best learning rate of the probe, in trainings of the whole budget
FINAL_LR_RATIOS = (1.0, 0.3, 0.1)


@dataclass(frozen=True)
class Measured:
    """A model on held-out images after training.

    Args:
        loss: in nats.
        accuracy: in [0, 1].
        balanced_accuracy: mean over the classes of the share of their images, or pixels, that are right, in [0, 1].
        accuracy_by_chance: balanced accuracy that guesses exceed in less than 1 of 40 trainings, in [0, 1].
        chance: loss of a model that predicts the class frequencies, in nats.
        score: explained entropy in [0, 1]; NaN if outputs are not finite.
        steps: of the training.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float
    accuracy_by_chance: float
    chance: float
    score: float
    steps: int

    @property
    def beats_chance(self) -> bool:
        """Whether loss and balanced accuracy are better than those of guesses, by more than noise."""
        return self.loss < self.chance and self.balanced_accuracy > self.accuracy_by_chance


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
    rates += [rate for rate in _usual_rates(probe) if not any(near(rate, one) for one in rates)]
    good = sorted(filter(is_above_noise, map(probe.run, rates)), key=final_score, reverse=True)
    final = [factor * trace.rate for trace in good[:1] for factor in FINAL_LR_RATIOS]
    ends = {rate: _end(probe, model, sample, rate, steps) for rate in final}
    finite = {rate: end for rate, end in ends.items() if np.isfinite([end.loss, end.score]).all()}
    if not finite:
        return None
    best_score = max(end.score for end in finite.values())
    rate = min(rate for rate, end in finite.items() if end.score >= best_score - required_score)
    return Attempt(names, model, rate, finite[rate])


def _usual_rates(probe: Probe) -> tuple[float, ...]:
    return probe.scale.usual


def train_measured(model: keras.Model, sample: Sample, steps: int) -> Measured:
    """Train for `steps` at the configured learning rate and measure on held-out images; variables are restored."""
    probe = Probe(model, sample, objective_of(model, sample))
    return _measured(model, sample, steps, lambda: probe.train_own(steps))


def _end(probe: Probe, model: keras.Model, sample: Sample, rate: float, steps: int) -> Measured:
    return _measured(model, sample, steps, lambda: probe.train(rate, steps))


def _measured(model: keras.Model, sample: Sample, steps: int, train: Callable) -> Measured:
    with preserve_variables(model, model.variables):
        loss, outputs = train()
    truth = classes_of(sample.y[len(sample) - sample.held_out :], outputs)
    objective = objective_of(model, sample)
    logits = logits_of(outputs, objective.activation)
    predicted = logits[..., 0] > 0 if logits.shape[-1] == 1 else logits.argmax(-1)
    right, score = truth == predicted, explained_entropy(truth, logits)
    return Measured(loss, float(right.mean()), *_balanced(truth, right), objective.chance, score, steps)


def _balanced(truth: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """(balanced accuracy, that of guesses plus two standard errors); the pixels of one image count as one."""
    classes, counts = np.unique(truth, return_counts=True)
    shares = [float(right[truth == one].mean()) for one in classes]
    images = np.maximum(1, counts * len(truth) / truth.size)
    guess = 1 / len(classes)
    error = np.sqrt((guess * (1 - guess) / images).sum()) / len(classes)
    return float(np.mean(shares)), float(guess + STANDARD_ERRORS * error)
