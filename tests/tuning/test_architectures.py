"""One search over several architectures, by the command line and to the end."""

import csv
import json
from itertools import permutations
from pathlib import Path

import pytest

from keras_cnn.models.registry import ARCHITECTURES
from keras_cnn.training.config import TrainSettings
from tests.tuning.conftest import Instantly
from tests.tuning_studies import digits_facts
from tuning import cli
from tuning.config import StudyConfig
from tuning.reporting.progress import Progress
from tuning.search_loop import run_search, start_study
from tuning.search_settings import SearchSettings
from tuning.trial import read_trial

CLASSIFIERS = [name for name, one in ARCHITECTURES.items() if one.task == "classification"]


class Checking(Instantly):
    """An executor that records the settings that `check` receives."""

    checked: tuple[TrainSettings, ...] = ()

    def check(self, settings: TrainSettings) -> None:
        settings.check_names()
        self.checked += (settings,)


def study_of(pair: tuple[str, str], directory: Path, trials: int = 1) -> StudyConfig:
    facts = digits_facts()
    base = TrainSettings(epochs=2, architecture=pair[0]).resolved(facts)
    return StudyConfig(
        directory, SearchSettings("random", trials=trials), base, {}, facts, architectures=pair
    )


@pytest.mark.slow
@pytest.mark.parametrize("first", CLASSIFIERS)
def test_search_of_every_ordered_pair_of_architectures_checks_both(first, tmp_path):
    for second in CLASSIFIERS:
        if second != first:
            executor = Checking()
            start_study(study_of((first, second), tmp_path / second), executor)
            assert [settings.architecture for settings in executor.checked] == [first, second]


@pytest.mark.parametrize("pair", list(permutations(["vgg", "convnext", "mlp", "lenet5"], 2)))
def test_trials_of_a_search_of_two_architectures_have_the_options_of_their_own(pair, tmp_path):
    run_search(study_of(pair, tmp_path, trials=8), Instantly(), Progress(lambda line: None))
    specs = [read_trial(path) for path in (tmp_path / "trials").iterdir()]
    assert {spec.settings.architecture for spec in specs} == set(pair)
    for spec in specs:
        spec.settings.check_names()
        active = {name.partition(".")[0] for name in spec.hyperparameters if "." in name}
        assert active <= {spec.settings.architecture}


@pytest.mark.slow
def test_search_of_several_architectures_trains_each_with_its_options(tuning, tmp_path):
    """With this seed the first point is of one, the second of the other."""
    small = [*("--image_size", 12, 12), "--batch_size", 128, "--normalization", "zero_one"]
    search = ["search", "--architecture", "mlp", "lenet5", "--tuner", "random", "--trials", 2, "--epochs", 1]
    options = [*small, "--augmentation", "none", "--directory", "study", "--seed", 3, "--workers", 1]
    run = tuning(*search, *options, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    with (tmp_path / "study" / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["architecture"] for row in rows} == {"mlp", "lenet5"}
    for row in rows:
        assert bool(row["mlp.width"]) == (row["architecture"] == "mlp")
    trials = [json.loads(path.read_text()) for path in (tmp_path / "study" / "trials").glob("*/trial.json")]
    for trial in trials:
        assert trial["settings"]["architecture"] == trial["hyperparameters"]["architecture"]
        assert ("dense" in trial["settings"]["options"]) == (trial["settings"]["architecture"] == "mlp")
    assert "search of mlp, lenet5 on digits" in (tmp_path / "study" / "report.md").read_text()
    assert list((tmp_path / "saved_models").glob("*/1/saved_model.pb"))


OWN_NETS = """
import keras
import numpy as np

def small(input_shape, classes, width=2):
    layers = [keras.layers.Flatten(), keras.layers.Dense(width), keras.layers.Dense(classes)]
    return keras.Sequential([keras.Input(input_shape), *layers])

def compiled(input_shape, classes):
    model = small(input_shape, classes)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model

def images():
    x = np.random.default_rng(0).random((200, 4, 4)).astype("float32")
    return x, (x[:, 0, 0] > 0.5).astype(int)
"""


@pytest.mark.slow
def test_search_of_a_function_of_the_users_own_exports_its_best_trial(tuning, tmp_path):
    (tmp_path / "nets.py").write_text(OWN_NETS)
    search = [
        "search",
        "--data",
        "nets:images",
        "--tuner",
        "random",
        "--trials",
        2,
        "--epochs",
        2,
        "--workers",
        1,
    ]
    run = tuning(*search, "--architecture", "nets:small", "--options.width", 3, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    (specs,) = tmp_path.glob("runs/nets-images-small-random-1/trials")
    for spec in map(read_trial, specs.iterdir()):
        assert spec.settings.architecture == "nets:small" and spec.settings.options == {"width": 3}
    assert len(list(tmp_path.glob("saved_models/nets-images-small-random-1/1/saved_model.pb"))) == 1
    run = tuning(*search, "--architecture", "nets:compiled", folder=tmp_path)
    assert run.returncode == 2 and "returns a compiled model" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["my_nets:small", "vgg"], "my_nets:small has no settings of layers"),
        (["vgg", "lenet5", "--options.width", "8"], "--options.width cannot be given for several"),
        (["vgg", "lenet"], "unknown architecture 'lenet'. Did you mean 'lenet5'?"),
        (["mlp", "lenet5", "--image_size", "8", "8"], "too small for lenet5"),
    ],
)
@pytest.mark.usefixtures("without_workers")
def test_search_of_what_cannot_be_searched_is_refused(complain, arguments, message):
    assert message in complain(cli, "search", "--architecture", *arguments)
