"""tuning.search of models for several labels an image, and for values, in Python and on the command line."""

import json

import pytest

import tuning
from keras_cnn.errors import InputError
from tests.tuning import own_rows
from tuning.search_settings import SearchSettings, check_target
from tuning.space.space import suggest

GIVEN = {"tuner": "random", "epochs": 2, "batch_size": 32, "workers": 1, "threads": 1}


@pytest.mark.slow
def test_search_of_several_labels_ranks_by_the_area_under_precision_and_recall(tmp_path):
    study = tuning.search(
        own_rows.for_labels,
        own_rows.several(),
        trials=2,
        learning_rate=0.1,
        directory=tmp_path / "study",
        **GIVEN,
    )
    rows = study.trials()
    assert study.objective == "val_pr_auc" and study.best.score == rows["score"].max()
    assert len(rows) == 2 and set(rows["state"]) == {"COMPLETED"}
    run = study.best_run()
    assert run.facts.task == "multi_label" and set(run.test()["average_precision"]) == {"0", "1"}
    again = tuning.Study(tmp_path / "study", own_rows.for_labels, own_rows.several()).resume(
        trials=3, workers=1
    )
    assert len(again.trials()) == 3
    assert (again.export(tmp_path / "saved") / "saved_model.pb").exists()


@pytest.mark.slow
def test_search_of_values_ranks_the_lowest_error_first(tmp_path):
    study = tuning.search(
        own_rows.for_values, own_rows.values(), trials=2, target=0.001, directory=tmp_path / "study", **GIVEN
    )
    rows = study.trials()
    assert study.objective == "val_rmse" and study.best.score == rows["score"].min() > 1
    measured = study.best_run().test()
    report = study.report().with_name("report.md").read_text(encoding="utf-8")
    assert f"test mae {measured['mae']:.4g}" in report and f"R^2 {measured['r2']:.4f}" in report


@pytest.mark.slow
def test_command_line_searches_values_and_exports_the_best(tuning, tmp_path):
    words = [
        "search",
        "tests.tuning.own_rows:for_values",
        "--data",
        "tests.tuning.own_rows:values",
        "--tuner",
        "random",
    ]
    run = tuning(
        *words, "--trials", 2, "--epochs", 1, "--workers", 1, "--directory", "study", folder=tmp_path
    )
    assert run.returncode == 0, run.stderr
    assert "trials are ranked by val_rmse" in run.stdout and "test mae " in run.stdout
    (card,) = tmp_path.glob("saved_models/study/*/card.json")
    assert json.loads(card.read_text())["output"]["name"] == "values"


def test_target_of_an_error_may_be_above_1():
    check_target(2.5, "val_rmse")
    with pytest.raises(InputError, match=r"target=2.5 must be in \(0, 1\], as val_pr_auc is"):
        check_target(2.5, "val_pr_auc")
    assert SearchSettings(target=2.5).target == 2.5


def test_space_of_values_moves_no_pixels():
    import keras_tuner as kt

    from keras_cnn.data.sources import load

    for y, moves in ((own_rows.values(), False), (own_rows.several(), True)):
        values = suggest(kt.HyperParameters(), ["my_nets:small"], load(y).facts, {})
        assert ("augmentation" in values) == moves and "learning_rate" in values
