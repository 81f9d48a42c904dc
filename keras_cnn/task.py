"""What depends on the task of a data set: what labels are, what a model is trained with and measured by."""

from collections.abc import Mapping
from dataclasses import dataclass

FALLBACK = "val_loss"  # ranks models without a metric of `Task.objectives`


@dataclass(frozen=True)
class Task:
    """One kind of labels, and what follows from it.

    Args:
        name: as `DataFacts.task` and `--task` have it.
        score: what a model is measured by on the test split, a key of test.json.
        metrics: of a model that is compiled here; epochs and trials are ranked by the first.
        losses: names of the losses that a model can be compiled with here; the default is the first.
        other_metrics: of a model that comes compiled, what it is ranked by if it has none of `metrics`, best first.
        unit: what `DataFacts.counts` counts: images or pixels.
        label_smoothing: if none is given.
        class_ids: whether a label is the number of a class; else labels are rows (N, K) of float32.
        flip_invariant: whether a mirrored image keeps its label; None where that follows from the classes.
        noun: what `DataFacts.classes` names.
        activation: makes the outputs of a model.
        output: what the outputs are, and how they are called in a SavedModel.
        meaning: of the outputs, for people.
    """

    name: str
    score: str
    metrics: tuple[str, ...]
    losses: tuple[str, ...]
    other_metrics: tuple[str, ...] = ()
    unit: str = "images"
    label_smoothing: float = 0.0
    class_ids: bool = True
    flip_invariant: bool | None = None
    noun: str = "classes"
    activation: str = "softmax"
    output: str = "probabilities"
    meaning: str = "probabilities of the classes, which sum to 1"

    @property
    def objective(self) -> str:
        """The validation metric that ranks epochs and trials by default."""
        return f"val_{self.metrics[0]}"

    @property
    def objectives(self) -> tuple[str, ...]:
        """The validation metrics that rank a model with metrics of its own, the first that it has."""
        return (*(f"val_{name}" for name in (*self.metrics, *self.other_metrics)), FALLBACK)

    @property
    def default_objectives(self) -> tuple[str, ...]:
        """The validation metrics of a model that is compiled here."""
        return (*(f"val_{name}" for name in self.metrics), FALLBACK)


CLASSIFICATION = Task(
    "classification",
    score="accuracy",
    metrics=("accuracy",),
    losses=("cross_entropy",),
    label_smoothing=0.1,
)
SEGMENTATION = Task(
    "segmentation",
    score="mean_iou",
    metrics=("mean_iou", "accuracy"),
    losses=("cross_entropy", "dice", "cross_entropy+dice"),
    unit="pixels",
    flip_invariant=True,
    meaning="probabilities of the classes of each pixel, which sum to 1",
)
MULTI_LABEL = Task(
    "multi_label",
    score="mean_average_precision",
    metrics=("pr_auc", "binary_accuracy"),
    losses=("binary_cross_entropy",),
    other_metrics=("auc",),
    class_ids=False,
    noun="labels",
    activation="sigmoid",
    meaning="the probability of each label, whatever the others are",
)
REGRESSION = Task(
    "regression",
    score="mae",
    metrics=("mae", "rmse"),
    losses=("mean_squared_error",),
    other_metrics=("mean_absolute_error", "root_mean_squared_error", "mse", "mean_squared_error"),
    class_ids=False,
    flip_invariant=False,
    noun="values",
    activation="linear",
    output="values",
    meaning="the predicted values, in the units of the labels",
)
TASKS = {task.name: task for task in (CLASSIFICATION, SEGMENTATION, MULTI_LABEL, REGRESSION)}
LOSSES = tuple(dict.fromkeys(loss for task in TASKS.values() for loss in task.losses))
# of these 1 is the highest value there is
SHARES = ("val_accuracy", "val_mean_iou", "val_pr_auc", "val_binary_accuracy", "val_auc")


def score_of(test: Mapping) -> str:
    """The name of the score of a test measurement, which holds it and its interval; KeyError if it holds none."""
    for task in TASKS.values():
        if f"{task.score}_interval" in test:
            return task.score
    raise KeyError("the interval of a score")
