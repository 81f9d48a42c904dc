"""The same point trained several times."""

import csv
import math

import numpy as np
import pytest
from scipy import stats

from keras_cnn.records import read_json
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import read_test
from tuning.executors.repeats import aggregate_repeats, repeat_spec, to_seed
from tuning.trial import TrialSpec

NAMES = ["repeat_1", "repeat_2", "repeat_3"]


def result(score, loss=1.0, **more):
    return {"state": "COMPLETED", "score": score, "loss": loss, "seconds": 2.0, "best_epoch": 3, **more}


def test_of_all_runs_gives_mean_interval_and_best_run():
    found = aggregate_repeats([result(0.7), result(0.9, best_epoch=5), result(0.8)], NAMES)
    assert found["score"] == pytest.approx(0.8)
    low, high = stats.t.interval(0.95, 2, 0.8, np.std([0.7, 0.9, 0.8], ddof=1) / math.sqrt(3))
    assert found["interval"] == pytest.approx([low, high])
    assert (found["run"], found["best_score"], found["best_epoch"], found["seconds"]) == (
        "repeat_2",
        0.9,
        5,
        6.0,
    )


def test_of_all_runs_with_a_failed_one_is_its_failure():
    found = aggregate_repeats([result(0.7), {"state": "DIVERGED", "message": "nan", "seconds": 1.0}], NAMES)
    assert found == {"state": "DIVERGED", "message": "nan", "seconds": 3.0}


def test_of_all_runs_averages_the_other_objectives_and_adds_up_seconds():
    found = aggregate_repeats(
        [
            result(0.7, trained_seconds=2.0, objectives={"parameters": 9, "val_loss": 0.5, "seconds": 2.0}),
            result(0.9, trained_seconds=3.0, objectives={"parameters": 9, "val_loss": 0.7, "seconds": 3.0}),
        ],
        NAMES,
    )
    assert found["objectives"] == {"parameters": 9, "val_loss": pytest.approx(0.6), "seconds": 5.0}
    assert found["trained_seconds"] == 5.0


def test_repeats_differ_in_seed_folder_and_parent():
    spec = TrialSpec(TrainSettings(seed=5), 9, start_from="../0001", logs="../../logs/0004", repeats=3)
    repeats = [repeat_spec(spec, number) for number in (1, 2, 3)]
    assert repeats[0].settings.seed == 5
    assert len({repeat.settings.seed for repeat in repeats}) == 3
    assert repeats[1].start_from == "../../0001/repeat_2"
    assert repeats[1].logs == "../../../logs/0004/repeat_2"
    assert repeats == [repeat_spec(spec, number) for number in (1, 2, 3)]


def test_folds_are_sub_folders_with_a_fold_of_the_data_each():
    spec = TrialSpec(TrainSettings(seed=5), 9, start_from="../0001", logs="../../logs/0004", folds=3)
    folds = [repeat_spec(spec, number) for number in (1, 2, 3)]
    assert [fold.fold for fold in folds] == [(1, 3), (2, 3), (3, 3)] and folds[0].folds is None
    assert (folds[1].start_from, folds[1].logs) == ("../../0001/fold_2", "../../../logs/0004/fold_2")


def test_seeds_fit_numpy_and_differ():
    seeds = {to_seed(0, number) for number in range(1000)}
    assert len(seeds) == 1000 and all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.slow
def test_search_with_repeats_ranks_means_and_exports_a_scored_model(tuning, tmp_path):
    """Under Hyperband too, whose later rounds continue each repeat."""
    limits = ["--tuner", "hyperband", "--epochs", 3, "--trials", 4, "--repeats", 2]
    limits += ["--workers", 1, "--directory", "study"]
    run = tuning("search", *tuning.small, *limits, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    rows = list(csv.DictReader((tmp_path / "study/trials.csv").open()))
    trial = tmp_path / "study/trials" / rows[0]["trial"]
    runs = [read_json(trial / f"repeat_{number}/metrics.json") for number in (1, 2)]
    assert float(rows[0]["score"]) == pytest.approx(np.mean([metrics["score"] for metrics in runs]))
    best = trial / rows[0]["run"]
    assert read_test(best)["images"] == 359
    assert read_json(tmp_path / "saved_models/study/1/card.json")["test"] == read_test(best)
    (continued,) = [row for row in rows if row["tuner/trial_id"]]
    assert (
        len(
            read_json(tmp_path / f"study/trials/{continued['trial']}/repeat_2/metrics.json")["history"][
                "loss"
            ]
        )
        == 2
    )
    assert "the mean of 2 runs (95 % interval" in (tmp_path / "study/report.md").read_text()
