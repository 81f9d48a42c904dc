"""repair: change a net that does not learn until it does, and show by training both that it does."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import keras
import numpy as np

from keras_cnn.diagnosis.diagnose import NEAR, USUAL_RATES, Diagnosis, diagnose
from keras_cnn.diagnosis.objective import objective_of
from keras_cnn.diagnosis.probe import Probe
from keras_cnn.diagnosis.remedies import REMEDIES, Patient
from keras_cnn.diagnosis.rules import HEALTHY, trains
from keras_cnn.diagnosis.sample import Sample, sample_of
from keras_cnn.training.averaging import kept

BUDGET = 300  # training steps before and after
IMAGES = 4096
BETTER = 0.05  # of the chance loss: what the loss of images held out must gain on the net before
FACTORS = (1.0, 0.3, 3.0)  # of its rate, at which a changed net is tried; and at the usual ones


@dataclass(frozen=True)
class Measured:
    """After the budget: loss and accuracy on images that were not trained on; chance: the loss without learning."""

    loss: float
    accuracy: float
    chance: float


@dataclass(frozen=True)
class Repair:
    """model: the repaired one, with the weights it started from; the model itself where nothing helped.
    changes: names of the remedies it took. before, after: of the same training. tried: every attempt and its result,
    in order. rate: of the repaired model. cured: whether it was measured to learn, and the model before was not."""

    model: keras.Model
    changes: tuple[str, ...]
    rate: float
    before: Measured
    after: Measured
    cured: bool
    steps: int
    tried: list[dict] = field(default_factory=list)

    def to_dict(self) -> dict:
        names = ("changes", "rate", "cured", "steps", "tried")
        return {name: getattr(self, name) for name in names} | {
            "before": asdict(self.before),
            "after": asdict(self.after),
        }

    def __str__(self) -> str:
        if self.cured:
            told = f"Cured by {', then '.join(self.changes)}, at a learning rate of {self.rate:.1e}."
        else:
            told = "No remedy was measured to help." if self.tried else "Nothing was tried: the net trains."
        measured = "  ".join(
            f"{name}: loss {one.loss:.3f}, accuracy {one.accuracy:.3f}"
            for name, one in (("before", self.before), ("after", self.after))
        )
        chance = f"(chance: loss {self.before.chance:.3f})"
        return f"{told}\n{self.steps} steps each, on images not trained on: {measured} {chance}"


def repair(
    model: keras.Model,
    data: Any,
    diagnosis: Diagnosis | None = None,
    *,
    budget: int = BUDGET,
    say: Callable[[str], None] = lambda line: None,
) -> Repair:
    """Try remedies on copies of `model`, those that the diagnosis names and then the rest, the cheapest first; then
    two at once. The first that trains better on `budget` steps than the model itself is taken.

    `model` stays as it is. data: as for `diagnose`. InputError for a subclassed model, whose graph nobody knows.
    """
    diagnosis = diagnosis or diagnose(model, data)
    sample = sample_of(data, IMAGES)
    objective = objective_of(model, sample)
    before = train_measured(model, sample, objective.rate, budget)
    say(f"before: loss {before.loss:.3f}, accuracy {before.accuracy:.3f} after {budget} steps")
    tried: list[dict] = []
    if diagnosis.verdict == HEALTHY:
        return Repair(model, (), objective.rate, before, before, False, budget)
    rate = diagnosis.rates[0] if diagnosis.rates else objective.rate
    for names in _plans(diagnosis.remedies):
        changed = _treated(Patient(model, sample, objective, rate), names)
        if changed is None:
            continue
        best = _best_rate(changed, sample)
        if best is None:
            tried.append({"changes": names, "outcome": "does not train in a probe"})
            say(f"{' + '.join(names)}: does not train in a probe")
            continue
        after = train_measured(changed, sample, best, budget)
        tried.append({"changes": names, "rate": best, "outcome": "trained", **asdict(after)})
        say(f"{' + '.join(names)} at {best:.1e}: loss {after.loss:.3f}, accuracy {after.accuracy:.3f}")
        if _helped(before, after):
            changed.optimizer.learning_rate = best
            return Repair(changed, names, best, before, after, True, budget, tried)
    return Repair(model, (), objective.rate, before, before, False, budget, tried)


def _plans(named: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Single remedies, the named ones first, then pairs in the order in which they are applied."""
    cost = list(REMEDIES)
    singles = [*named, *(name for name in cost if name not in named)]
    yield from ((name,) for name in singles)
    for pair in combinations(singles, 2):
        yield tuple(sorted(pair, key=cost.index))


def _treated(patient: Patient, names: Iterable[str]) -> keras.Model | None:
    model: keras.Model | None = patient.model
    for name in names:
        objective = objective_of(model, patient.sample) if model is not patient.model else patient.objective
        model = REMEDIES[name](Patient(model, patient.sample, objective, patient.rate))
        if model is None:
            return None
    return model


def _best_rate(model: keras.Model, sample: Sample) -> float | None:
    """The rate, of some around the model's, at which a probe's loss falls most; None where it falls at none."""
    objective = objective_of(model, sample)
    probe, rates = Probe(model, sample, objective), [objective.rate * factor for factor in FACTORS]
    rates += [rate for rate in USUAL_RATES if all(max(rate / one, one / rate) > NEAR for one in rates)]
    traces = [probe.run(rate) for rate in rates]
    good = [trace for trace in traces if trains(trace, objective.chance)]
    return min(good, key=lambda trace: min(trace.held_out[-2:])).rate if good else None


def _helped(before: Measured, after: Measured) -> bool:
    worst = min(before.loss, before.chance) if np.isfinite(before.loss) else before.chance
    return bool(np.isfinite(after.loss)) and after.loss < worst - BETTER * before.chance


def train_measured(model: keras.Model, sample: Sample, rate: float, steps: int) -> Measured:
    """Train for `steps` at `rate` and measure on the images held out; the weights are put back."""
    objective = objective_of(model, sample)
    first = len(sample) - sample.held_out
    with kept(model, model.variables):
        probe = Probe(model, sample, objective)
        loss, outputs = probe.train(rate, steps)
    truth, guess = _classes(sample.y[first:], outputs)
    return Measured(loss, float((truth == guess).mean()), objective.chance)


def _classes(y: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if outputs.shape[-1] == 1:
        return np.asarray(y).reshape(-1) > 0.5, outputs.reshape(-1) > 0.5
    guess = outputs.argmax(-1)
    truth = y.argmax(-1) if y.ndim == outputs.ndim and y.shape[-1] == outputs.shape[-1] else y
    return np.asarray(truth).reshape(guess.shape), guess
