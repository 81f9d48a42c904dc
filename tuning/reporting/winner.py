"""The best trial of a study in words and numbers, for the top of its report."""

from keras_cnn.task import CLASSIFICATION
from keras_cnn.training.evaluate import summary, wilson_interval
from keras_cnn.training.run_directory import TEST, read_test
from tuning.config import StudyConfig
from tuning.reporting.grid import short
from tuning.storage.trials import Row, hyperparameters, run_directory


def mean_of(study: StudyConfig, row: Row) -> str:
    """What a score with an interval is the mean of; of folds it is that of a cross-validation."""
    low, high = row["interval"]
    what = "folds" if study.search.folds else "runs"
    return f"the mean of {study.search.runs} {what} (95 % interval {low:.4f}-{high:.4f})"


def test_line(study: StudyConfig, row: Row) -> str:
    """What the trial's best weights reach on the test split; empty if that was not measured."""
    run = run_directory(study, row)
    return summary(read_test(run)) if (run / TEST).exists() else ""


def interval_line(study: StudyConfig, row: Row) -> str:
    """How sure the score of a trial is; empty where that is not known."""
    if row["interval"]:
        return mean_of(study, row)
    counts = study.facts.counts.get("validation")
    if study.objective != "val_accuracy" or study.facts.task != CLASSIFICATION.name or not counts:
        return ""
    images = sum(counts)
    low, high = wilson_interval(round(row["score"] * images), images)
    return (
        f"95 % interval {low:.4f}-{high:.4f} of {images:,} validation images; the best of several scores is, on "
        "average, too high"
    )


def winner_facts(study: StudyConfig, row: Row) -> list[tuple[str, str]]:
    """(name, value) of the best trial beside its score."""
    facts = [
        ("trial", row["trial"]),
        ("best epoch", str(row["best_epoch"])),
        ("parameters", "" if row["parameters"] is None else f"{row['parameters']:,d}"),
        ("seconds", "" if row["seconds"] is None else f"{row['seconds']:.1f}"),
        *((name, short(value)) for name, value in hyperparameters(row).items()),
        *((name, f"{short(value)} (given)") for name, value in study.fixed_hyperparameters.items()),
    ]
    return [(name, value) for name, value in facts if value]
