"""One search over several architectures, by the command line and to the end."""

import csv
import json

import pytest

from tuning import cli


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vgg", "lenet5", "--options.width", "8"], "--options.width cannot be given for several"),
        (["vgg", "lenet"], "unknown architecture 'lenet'. Did you mean 'lenet5'?"),
        (["mlp", "lenet5", "--image_size", "8", "8"], "too small for lenet5"),
    ],
)
@pytest.mark.usefixtures("without_workers")
def test_search_of_what_cannot_be_searched_is_refused(complain, arguments, message):
    assert message in complain(cli, "search", "--architecture", *arguments)
