"""repair: apply remedies to a model that does not learn, and train both to measure the effect."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import keras
import numpy as np

from keras_cnn.diagnosis.diagnose import DATA_AT_FAULT, diagnose
from keras_cnn.diagnosis.probe.data import Sample, sample_of
from keras_cnn.diagnosis.probe.decision import HEALTHY
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.diagnosis.remedies.attempts import Attempt, Measured, apply_remedies, attempt, train_measured
from keras_cnn.diagnosis.remedies.code_change import code_changes
from keras_cnn.diagnosis.remedies.context import RepairContext
from keras_cnn.diagnosis.remedies.remedies import REMEDIES
from keras_cnn.diagnosis.remedies.surgery import compiled_like, rebuilt
from keras_cnn.diagnosis.result import Diagnosis, html_table
from keras_cnn.errors import InputError
from keras_cnn.models.stock import stock_layer

logger = logging.getLogger(__name__)

BUDGET_STEPS = 300  # of the training before and after
MAX_IMAGES = 4096
MAX_PAIRED_REMEDIES = 4  # of the named remedies, of which all pairs are tried
# score / required score; set by hand
MIN_GAIN = 0.5  # gain over the original that counts as a repair
GOOD_ENOUGH = 2.0  # score at which the search ends
TIE_MARGIN = 0.5  # score difference within which the cheaper remedy is preferred


@dataclass(frozen=True, repr=False)
class Repair:
    """The result of `repair`.

    Args:
        model: the repaired model with its initial weights; the original if no remedy helped.
        changes: names of the remedies that were applied.
        rate: learning rate of the model.
        before: measured after training the original; None if the model learns, or `fit` rejects its labels.
        after: measured after training the repaired model; None if no remedy was applied.
        succeeded: whether the repaired model was measured to learn and the original was not.
        tried: every attempt and its result, in order.
        code_changes: instructions that make the same changes in the code of the model.
    """

    model: keras.Model
    changes: tuple[str, ...]
    rate: float
    before: Measured | None
    after: Measured | None
    succeeded: bool
    tried: list[dict] = field(default_factory=list)
    code_changes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """All fields but the model, as JSON takes them."""
        names = ("changes", "rate", "succeeded", "tried", "code_changes")
        measured = {"before": self.before, "after": self.after}
        return {name: getattr(self, name) for name in names} | {
            name: asdict(one) if one else None for name, one in measured.items()
        }

    def __str__(self) -> str:
        if self.before is None and not self.tried and not self.succeeded:
            return f"Nothing to repair: the model learns at its learning rate of {self.rate:.1e}."
        before = f"before: {_numbers(self.before)}" if self.before else "before: fit rejects the labels"
        if self.after is None:
            return f"Not repaired: none of {len(self.tried)} attempts improved the score enough; {before}."
        names = ", then ".join(self.changes)
        return (
            f"Repaired by {names}, at a learning rate of {self.rate:.1e}; {before}; after: {_numbers(self.after)}, on "
            "held-out images." + "".join(f"\n  {change}" for change in ["In your code:", *self.code_changes])
        )

    def _summary(self) -> list[tuple[str, str]]:
        """(name, value) of what a repr shows."""
        measured = [(name, one) for name, one in (("before", self.before), ("after", self.after)) if one]
        return [
            ("succeeded", str(self.succeeded)),
            ("changes", ", ".join(self.changes) or "none"),
            ("learning rate", f"{self.rate:.1e}"),
            *((name, _numbers(one)) for name, one in measured),
            ("attempts", str(len(self.tried))),
        ]

    def __repr__(self) -> str:
        return "\n".join(["Repair", *(f"  {name}: {value}" for name, value in self._summary())])

    def _repr_html_(self) -> str:
        return html_table("Repair", self._summary())


def _numbers(measured: Measured) -> str:
    return (
        f"accuracy {measured.accuracy:.2f}, loss {measured.loss:.3f} (chance "
        f"{measured.chance:.3f}) after {measured.steps} "
        "steps"
    )


def repair(
    model: keras.Model,
    data: Any,
    diagnosis: Diagnosis | None = None,
    *,
    budget: int = BUDGET_STEPS,
) -> Repair:
    """Try remedies on copies of a model that does not learn; the model itself is not changed.

    The remedies that the diagnosis names are tried first, then the others, then pairs of the first four named. The
    search ends at the first remedy with at least twice the required score; otherwise the cheapest remedy within half
    the required score of the best is applied.

    Args:
        model: a functional or Sequential model, compiled or not.
        data: as for `diagnose`.
        diagnosis: of this model and data; made if None.
        budget: training steps of the original and of each attempt.

    Returns:
        The repaired model and what was measured.

    Raises:
        InputError: for a subclassed model, whose graph is unknown, and if the data are at fault instead of the model.
    """
    diagnosis = diagnosis or diagnose(model, data)
    _check_data(diagnosis)
    sample = sample_of(data, MAX_IMAGES)
    objective = objective_of(model, sample)
    if diagnosis.verdict == HEALTHY:
        return Repair(model, (), objective.rate, None, None, False)
    before = None
    if all(finding.name != "labels_of_another_form" for finding in diagnosis.findings):
        before = train_measured(model, sample, budget)
        logger.info(f"before: {_numbers(before)}")
    tried: list[dict] = []
    context = RepairContext(
        model, sample, objective, diagnosis.rates[0] if diagnosis.rates else objective.rate
    )
    required_score = diagnosis.required_score
    initial = before.score if before and np.isfinite(before.score) else 0.0
    min_score = initial + max(MIN_GAIN * required_score, diagnosis.null_score_p999)
    try_out = partial(_attempt, context, required_score=required_score, budget=budget, tried=tried)
    for plans in _plans(diagnosis.remedies):
        better = (one for one in map(try_out, plans) if one and _is_better(one.after, before))
        successes = list(_successes(better, min_score, GOOD_ENOUGH * required_score))
        if successes:
            best = _cheapest_of_the_best(successes, TIE_MARGIN * required_score)
            repaired = _in_stock_layers(best.model, sample, best.rate)
            changes = code_changes(model, repaired)
            return Repair(repaired, best.names, best.rate, before, best.after, True, tried, changes)
    return Repair(model, (), objective.rate, before, None, False, tried)


def _in_stock_layers(model: keras.Model, sample: Sample, rate: float) -> keras.Model:
    """A copy with the same weights in layers of Keras alone, where it has them; compiled with a learning rate."""
    new = rebuilt(model, stock_layer)
    return compiled_like(new, model, objective_of(model, sample), rate=rate)


def _is_better(after: Measured, before: Measured | None) -> bool:
    """Whether loss and accuracy of held-out images beat those of guesses by more than noise, and those before."""
    if not after.beats_chance:
        return False
    if before is None or not np.isfinite([before.loss, before.chance]).all():
        return True
    # as ratios, because a remedy may change the loss function
    lower = after.loss / after.chance < before.loss / before.chance
    return lower and after.balanced_accuracy > before.balanced_accuracy


def _check_data(diagnosis: Diagnosis) -> None:
    for finding in diagnosis.findings:
        if finding.name in DATA_AT_FAULT:
            raise InputError(
                f"{finding.message} No change of the model corrects that: {finding.suggestions[0].what}."
            )


def _plans(named: Sequence[str]) -> Iterator[list[tuple[str, ...]]]:
    """Groups of attempts, each a tuple of remedies: the named ones, the others, then pairs of the named ones.

    Within a group the cheapest come first; the pairs come one by one, the most promising first.
    """
    cost = list(REMEDIES)
    others = [name for name in cost if name not in named]
    yield [(name,) for name in sorted(named, key=cost.index)]
    yield [(name,) for name in others]
    for pair in combinations(named[:MAX_PAIRED_REMEDIES], 2):
        yield [tuple(sorted(pair, key=cost.index))]


def _successes(attempts: Iterable[Attempt], min_score: float, good_enough: float) -> Iterator[Attempt]:
    """The attempts that score more than `min_score`, up to the first that scores more than `good_enough`."""
    for made in attempts:
        if made.after.score > min_score:
            yield made
            if made.after.score > good_enough:
                return


def _attempt(
    context: RepairContext,
    names: tuple[str, ...],
    *,
    required_score: float,
    budget: int,
    tried: list[dict],
) -> Attempt | None:
    """The attempt with these remedies, logged and appended to `tried`; None if they do not apply, or do not help."""
    changed = apply_remedies(context, names)
    if changed is None:
        return None
    made = attempt(changed, names, context.sample, budget, required_score)
    if made is None:
        tried.append({"changes": names, "outcome": "does not train"})
        logger.info(f"{' + '.join(names)}: does not learn at any learning rate")
        return None
    tried.append({"changes": names, "rate": made.rate, "outcome": "trained", **asdict(made.after)})
    logger.info(
        f"{' + '.join(names)} at a learning rate of {made.rate:.1e}: accuracy {made.after.accuracy:.3f}, loss "
        f"{made.after.loss:.3f}"
    )
    return made


def _cheapest_of_the_best(successes: list[Attempt], margin: float) -> Attempt:
    """The first attempt within `margin` of the best score; `successes` are in order of cost."""
    best_score = max(one.after.score for one in successes)
    return next(one for one in successes if one.after.score >= best_score - margin)
