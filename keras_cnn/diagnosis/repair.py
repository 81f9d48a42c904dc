"""repair: change a net that does not learn until it does, and show by training both that it does."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import keras
import numpy as np

from keras_cnn.diagnosis.diagnose import DATA_AT_FAULT, diagnose
from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.diagnosis.probe.decision import HEALTHY
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.remedies.attempts import Attempt, Measured, apply_remedies, attempt, train_measured
from keras_cnn.diagnosis.remedies.remedies import REMEDIES, RepairContext
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.errors import InputError

logger = logging.getLogger(__name__)

BUDGET = 300  # training steps before and after
IMAGES = 4096
MAX_PAIRED_REMEDIES = 4  # of the named remedies, whose pairs are tried
# times what is asked of the net
MIN_GAIN = 0.5  # that outputs must tell more than those of the net before
GOOD_ENOUGH = 2.0  # told by a net that needs no better remedy
TIE_MARGIN = 0.5  # within which the cheaper of two remedies is the better one


@dataclass(frozen=True)
class Repair:
    """model: the repaired one, with the weights it started from; the model itself where nothing helped.
    changes: names of the remedies it took. before, after: of the training. tried: every attempt and its result,
    in order. rate: of the repaired model. cured: whether it was measured to learn, and the model before was not."""

    model: keras.Model
    changes: tuple[str, ...]
    rate: float
    before: Measured
    after: Measured
    succeeded: bool
    tried: list[dict] = field(default_factory=list)

    def to_dict(self) -> dict:
        names = ("changes", "rate", "cured", "tried")
        return {name: getattr(self, name) for name in names} | {
            "before": asdict(self.before),
            "after": asdict(self.after),
        }

    def __str__(self) -> str:
        if self.succeeded:
            told = f"Cured by {', then '.join(self.changes)}, at a learning rate of {self.rate:.1e}."
        else:
            told = "No remedy was measured to help." if self.tried else "Nothing was tried: the net trains."
        measured = "  ".join(
            f"{name} ({one.steps} steps): loss {one.loss:.3f}, accuracy {one.accuracy:.3f}"
            for name, one in (("before", self.before), ("after", self.after))
        )
        chance = f"(chance: loss {self.before.chance:.3f})"
        return f"{told}\nOn images not trained on: {measured} {chance}"


def repair(
    model: keras.Model,
    data: Any,
    diagnosis: Diagnosis | None = None,
    *,
    budget: int = BUDGET,
) -> Repair:
    """Try remedies on copies of `model`: those that the diagnosis names; if none helps the rest; then two of the first
    four named at once.

    Each is trained for `budget` steps, as the model itself is. The first that makes it learn well is taken, else the
    cheapest that does about as well as the best: the first to help may only help a little.
    `model` stays as it is. data: as for `diagnose`. InputError for a subclassed model, whose graph nobody knows, and
    where not the net but the data are at fault.
    """
    diagnosis = diagnosis or diagnose(model, data)
    _check_data(diagnosis)
    sample = sample_of(data, IMAGES)
    objective = objective_of(model, sample)
    # `fit` would refuse such labels: before the repair the net stays as its weights are
    refused = any(finding.name == "labels_of_another_form" for finding in diagnosis.findings)
    steps = 0 if refused else budget
    before = train_measured(model, sample, objective.rate, steps)
    logger.info(f"before: loss {before.loss:.3f}, accuracy {before.accuracy:.3f} after {steps} steps")
    tried: list[dict] = []
    if diagnosis.verdict == HEALTHY:
        return Repair(model, (), objective.rate, before, before, False)
    context = RepairContext(
        model, sample, objective, diagnosis.rates[0] if diagnosis.rates else objective.rate
    )
    required_score, known = diagnosis.required_score, before.score if np.isfinite(before.score) else 0.0
    least = known + max(MIN_GAIN * required_score, diagnosis.null_score_p999)
    try_out = partial(_tried, context, required_score=required_score, budget=budget, tried=tried)
    for plans in _plans(diagnosis.remedies):
        suggestions = list(_successes(map(try_out, plans), least, GOOD_ENOUGH * required_score))
        if suggestions:
            best = _cheapest_of_the_best(suggestions, TIE_MARGIN * required_score)
            best.model.optimizer.learning_rate = best.rate
            return Repair(best.model, best.names, best.rate, before, best.after, True, tried)
    return Repair(model, (), objective.rate, before, before, False, tried)


def _check_data(diagnosis: Diagnosis) -> None:
    for finding in diagnosis.findings:
        if finding.name in DATA_AT_FAULT:
            raise InputError(
                f"{finding.message} No change of the net mends that; {finding.suggestions[0].what}."
            )


def _plans(named: Sequence[str]) -> Iterator[list[tuple[str, ...]]]:
    """What is tried together: the named remedies, the others, then one by one pairs of the most promising named ones,
    applied in order of cost."""
    cost = list(REMEDIES)
    others = [name for name in cost if name not in named]
    yield [(name,) for name in sorted(named, key=cost.index)]
    yield [(name,) for name in others]
    for pair in combinations(named[:MAX_PAIRED_REMEDIES], 2):
        yield [tuple(sorted(pair, key=cost.index))]


def _successes(attempts: Iterable[Attempt | None], least: float, well: float) -> Iterator[Attempt]:
    """Those whose nets tell more than `least`, up to the first that tells more than `well`."""
    for made in attempts:
        if made and made.after.score > least and np.isfinite(made.after.loss):
            yield made
            if made.after.score > well:
                return


def _tried(
    context: RepairContext,
    names: tuple[str, ...],
    *,
    required_score: float,
    budget: int,
    tried: list[dict],
) -> Attempt | None:
    """The attempt with these remedies, told and added to `tried`; None where they fit nothing, or it does not train."""
    changed = apply_remedies(context, names)
    if changed is None:
        return None
    made = attempt(changed, names, context.sample, budget, required_score)
    if made is None:
        tried.append({"changes": names, "outcome": "does not train"})
        logger.info(f"{' + '.join(names)}: does not train")
        return None
    tried.append({"changes": names, "rate": made.rate, "outcome": "trained", **asdict(made.after)})
    logger.info(
        f"{' + '.join(names)} at {made.rate:.1e}: loss {made.after.loss:.3f}, accuracy {made.after.accuracy:.3f}"
    )
    return made


def _cheapest_of_the_best(suggestions: list[Attempt], as_good: float) -> Attempt:
    """`cures` in order of cost."""
    most = max(one.after.score for one in suggestions)
    return next(one for one in suggestions if one.after.score >= most - as_good)
