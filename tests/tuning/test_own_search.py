"""tuning.search of a user's own build(hp), in Python and on the command line."""

import shutil
import threading
from pathlib import Path

import pytest

import tuning
from keras_cnn import cli, logs
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from tests.tuning.own_search import build, images

GIVEN = {"tuner": "random", "epochs": 2, "seed": 3, "batch_size": 32, "threads": 1}


@pytest.fixture(scope="module")
def searched(made_once) -> tuple[Path, list[str]]:
    """A study of six trials in a worker, after TensorFlow was used: (its directory, what was said)."""

    def make(folder: Path) -> None:
        messages: list[str] = []
        scale = 1.0  # a closure, which only goes by value

        def scaled(hp):
            print("building at scale", scale)
            return build(hp)

        with logs.redirected(messages.append):
            tuning.search(
                scaled,
                images(),
                trials=6,
                workers=1,
                max_parameters=1000,
                objective=["val_accuracy", "parameters", "val_loss"],
                directory=folder / "study",
                **GIVEN,
            )
        (folder / "said.txt").write_text("\n".join(messages))

    folder = made_once("own_search", make)
    return folder / "study", (folder / "said.txt").read_text().splitlines()


@pytest.fixture
def study(searched) -> tuning.Study:
    return tuning.Study(searched[0], build, images())


@pytest.mark.slow
def test_search_says_from_the_start_what_it_does(searched):
    directory, said = searched
    assert said[0] == "a worker checks that scaled can be trained on arrays"
    assert "hyperparameters: units, deep; trials are ranked by val_accuracy" in said
    assert said[-1] == "the search has ended: all 6 trials are done"
    log = (directory / "trials/0000/log.txt").read_text(encoding="utf-8")
    assert "building at scale 1.0" in log


@pytest.mark.slow
def test_models_over_the_limit_are_not_trained_nor_counted_and_say_why(study):
    rows = study.trials()
    too_large = rows[rows["units"] == 64]
    assert set(too_large["state"]) == {"TOO_LARGE"} and set(rows[rows["units"] < 64]["state"]) == {
        "COMPLETED"
    }
    assert len(rows) - len(too_large) == 6 and too_large["score"].isna().all()
    reason = "parameters are more than max_parameters=1,000"
    assert too_large["message"].str.endswith(reason).all()
    assert reason in study.report().read_text(encoding="utf-8")


@pytest.mark.slow
def test_front_holds_the_best_trial_and_the_smallest_model(study):
    front = study.pareto()
    rows = study.trials()[study.trials()["state"] == "COMPLETED"]
    assert study.best.trial == front["trial"][0] and front["parameters"].min() == rows["parameters"].min()
    assert set(front["trial"]) == set(rows[rows["pareto"] == True]["trial"])  # noqa: E712 (a column)
    assert rows["val_loss"].equals(rows["loss"])  # the value of the best epoch
    assert study.report().read_text(encoding="utf-8").count("<h2>Pareto front") == 1


@pytest.mark.slow
def test_hyperparameters_that_appear_while_building_are_searched(study):
    rows = study.trials()
    deep = rows[(rows["deep"] == True) & (rows["state"] == "COMPLETED")]  # noqa: E712 (a column)
    assert len(deep) > 1 and deep["second"].notna().all() and deep["second"].nunique() > 1


@pytest.mark.slow
def test_best_model_has_the_score_of_the_best_trial(study):
    best, rows = study.best, study.trials()
    assert best.score == rows["score"].max() and best.trial == rows["trial"][0]
    data = load(images())
    model = study.best_model()
    found = model.evaluate(data.validation.images, data.validation.labels, verbose=0, return_dict=True)
    assert found["accuracy"] == pytest.approx(best.score) and model.count_params() <= 1000
    assert best.hyperparameters["units"] == model.layers[1].units


@pytest.mark.slow
def test_a_study_shows_itself_in_a_console_and_in_a_notebook(study):
    text, page = repr(study), study._repr_html_()
    assert f"best val_accuracy: {study.best.score:.4f} (trial {study.best.trial})" in text
    assert page.startswith("<table>") and str(study.directory) in page and len(text.splitlines()) == 6


@pytest.mark.slow
def test_commands_read_a_study_of_python_and_refuse_to_resume_it(study, capsys):
    for command in ("status", "report"):
        assert cli.main([command, str(study.directory)]) == 0
        assert "TOO_LARGE" in capsys.readouterr().out
    assert cli.main(["resume", str(study.directory)]) == 2
    error = capsys.readouterr().err
    assert f"tuning.Study({str(study.directory)!r}, build, data).resume()" in error and error.count("\n") == 1


@pytest.mark.slow
def test_resume_refuses_what_it_cannot_continue_with(study):
    x, y = images()
    for arguments, message in (
        ({"epochs": 3}, "epochs of a study cannot be changed"),
        ({"objective": ["val_loss", "macs"]}, "objective of a study cannot be changed"),
        ({"max_parameters": 5}, "max_parameters of a study cannot be changed"),
        ({"trails": 9}, "Did you mean 'trials'"),
        ({"data": (x[::-1], y[::-1])}, "is not what .* was trained on"),
    ):
        with pytest.raises(InputError, match=message):
            study.resume(**arguments)
    with pytest.raises(InputError, match=r"build and data of .* are not stored"):
        tuning.Study(study.directory).resume()


@pytest.mark.slow
def test_resumed_search_adds_trials_and_exports_the_best(study, tmp_path):
    shutil.copytree(study.directory, tmp_path / "study")
    copy = tuning.Study(tmp_path / "study", build, images())
    copy.resume(trials=8, workers=1)
    before, after = study.trials().set_index("trial"), copy.trials().set_index("trial")
    assert (after["state"] == "COMPLETED").sum() == 8
    assert after.loc[before.index, "score"].equals(before["score"])
    version = copy.export(tmp_path / "saved")
    assert (version / "saved_model.pb").exists() and copy.best_run().test()["images"] == 40


@pytest.mark.slow
def test_two_searches_at_once_in_one_process(tmp_path):
    found: dict[str, tuning.Study] = {}

    def search(name: str, units: list[int]) -> None:
        def one(hp):
            hp.Choice("units", units)
            return build(hp)

        found[name] = tuning.search(one, images(), trials=2, workers=1, directory=tmp_path / name, **GIVEN)

    threads = [threading.Thread(target=search, args=pair) for pair in (("a", [4, 5]), ("b", [6, 7]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found["a"].trials()["units"].isin([4, 5]).all() and found["b"].trials()["units"].isin([6, 7]).all()


NETS = """
import keras
from tests.tuning import own_search

@keras.saving.register_keras_serializable("own_nets")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs

def build(hp):
    model = own_search.uncompiled(hp)
    return keras.Sequential([keras.Input((4, 4, 1)), Twice(), model])

images = own_search.images
"""


@pytest.mark.slow
def test_command_line_searches_resumes_and_exports_a_build_by_name(tuning, tmp_path):
    (tmp_path / "own_nets.py").write_text(NETS)
    search = ["search", "own_nets:build", "--data", "own_nets:images", "--tuner", "random", "--trials", 1]
    run = tuning(*search, "--epochs", 1, "--workers", 1, "--directory", "study", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "random search of own_nets:build on own_nets:images" in run.stdout
    run = tuning("resume", "study", "--trials", 3, "--workers", 1, folder=tmp_path)
    assert run.returncode == 0 and "the space holds no other point than the 2" in run.stdout, run.stderr
    run = tuning("export", "study", folder=tmp_path)
    assert run.returncode == 0 and len(list(tmp_path.glob("saved_models/study/*/saved_model.pb"))) >= 2


def test_what_cannot_be_searched_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tuning.api.count_gpus", lambda machine: pytest.fail("a cluster would be joined"))
    with pytest.raises(InputError, match=r"a int cannot be searched"):
        tuning.search(3, images(), directory=tmp_path / "study")
    with pytest.raises(InputError, match=r"takes \(input_shape, classes\)"):
        tuning.search(lambda input_shape, classes: None, images(), directory=tmp_path / "study")
    with pytest.raises(InputError, match=r"unknown argument 'trails'. Did you mean 'trials'"):
        tuning.search(build, images(), trails=3, directory=tmp_path / "study")
    with pytest.raises(InputError, match="executor='ray': the nodes of a cluster cannot reach"):
        tuning.search(build, images(), executor="ray", directory=tmp_path / "study")
    with pytest.raises(InputError, match="trials='many' is a str; allowed: int"):
        tuning.search(build, images(), trials="many", directory=tmp_path / "study")
    with pytest.raises(InputError, match="has a name twice"):
        tuning.search(build, images(), objective=["val_loss", "val_loss"], directory=tmp_path / "study")
    assert not (tmp_path / "study").exists()
