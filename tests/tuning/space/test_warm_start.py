"""Points that a user wants tried first."""

import json

import pytest

from keras_cnn.data.dataset import DataFacts
from keras_cnn.errors import InputError
from keras_cnn.training.config import TrainSettings
from tests.tuning.oracle_runs import begin, end
from tuning import cli
from tuning.config import StudyConfig
from tuning.oracles.base import declare_space
from tuning.oracles.make import make_oracle
from tuning.search_settings import SearchSettings
from tuning.space.warm_start import read_configurations

FACTS = DataFacts("x", (32, 32, 3), ("a", "b"), {"train": [900, 900]}, (1.0,) * 3, (1.0,) * 3)


def study_in(directory, tuner="random", **more) -> StudyConfig:
    return StudyConfig(
        directory, SearchSettings(tuner), TrainSettings(epochs=4), {"dropout": 0.1}, FACTS, **more
    )


@pytest.fixture
def configuration(tmp_path) -> dict:
    """One of the space, unlike its defaults."""
    oracle = make_oracle(study_in(tmp_path / "drawn"))
    return oracle.create_trial("t").hyperparameters.values


def written(path, content) -> list:
    path.write_text(json.dumps(content))
    return [path]


@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband"])
def test_they_come_first_once_and_after_a_kill_too(tuner, configuration, tmp_path):
    space = declare_space(study_in(tmp_path))
    other = {**configuration, "batch_size": 32 if configuration["batch_size"] != 32 else 128}
    files = written(tmp_path / "a.json", {"run": "trials/3", "hyperparameters": configuration})
    configurations = read_configurations(files + written(tmp_path / "b.json", other), space)
    assert configurations == (configuration, other)
    study = study_in(tmp_path / "study", tuner, initial_configurations=configurations)
    tried = []
    for _ in range(4):
        oracle = make_oracle(study)  # each time as after a kill
        trial = begin(oracle)
        tried.append({k: v for k, v in trial.hyperparameters.values.items() if not k.startswith("tuner/")})
        end(oracle, trial)
    assert tried[:2] == [configuration, other]
    assert configuration not in tried[2:] and other not in tried[2:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 33}, r"batch_size=33 is not in the space\. Allowed: 32, 64, 128"),
        ({"vgg.blocks": 9}, r"blocks=9 is not in the space\. Allowed: a whole number from 2 to 4"),
        ({"vgg.blocks": 2.5}, r"blocks=2\.5 is not in the space"),
        ({"vgg.blocks": True}, "blocks=True is not in the space"),
        ({"dropout": 0.1}, "sets dropout, which this study does not search"),
        ({"activation": None}, "activation=None is not in the space. Allowed: relu"),
    ],
)
def test_a_point_outside_the_space_is_refused(configuration, tmp_path, change, message):
    blocks = next(name for name in configuration if name.endswith(".blocks"))
    change = {blocks if name == "vgg.blocks" else name: value for name, value in change.items()}
    files = written(tmp_path / "x.json", configuration | change)
    with pytest.raises(InputError, match=message):
        read_configurations(files, declare_space(study_in(tmp_path)))


def test_a_point_that_lacks_a_value_is_refused(configuration, tmp_path):
    configuration.pop("activation")
    with pytest.raises(InputError, match=r"x\.json lacks activation, which this study searches"):
        read_configurations(written(tmp_path / "x.json", configuration), declare_space(study_in(tmp_path)))


@pytest.mark.usefixtures("without_workers")
def test_search_starting_with_unreadable_points_is_refused(complain):
    assert "there is no 'nowhere.json'" in complain(cli, "search", "--start-with", "nowhere.json")
    assert "a grid has its own order" in complain(cli, "search", "--tuner", "grid", "--start-with", "x.json")
