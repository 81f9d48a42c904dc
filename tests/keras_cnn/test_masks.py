"""Segmentation by the command line: from folders of pairs to a picture of what was found."""

import json

import pytest
import tensorflow as tf

import keras_cnn.cli

pytestmark = pytest.mark.slow  # `training/test_masks.py` trains and measures the same in one process
SMALL = ["--architecture", "unet", "--options.depth", 2, "--options.width", 4, "--crop_size", 16, 16]


@pytest.fixture(scope="module")
def finished(keras_cnn, pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    arguments = ["--augmentation", "flip+rotate90", "--epochs", 6, "--directory", "run"]
    return folder / "run", keras_cnn("train", "--data", f"pairs:{pairs}", *SMALL, *arguments, folder=folder)


def test_the_run_says_how_well_each_class_is_found(finished):
    directory, run = finished
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert "val_mean_iou 0." in run.stdout
    test = json.loads((directory / "test.json").read_text())
    assert f"IoU of sky {test['iou']['sky']:.4f}, disc {test['iou']['disc']:.4f}" in run.stdout
    assert test["mean_iou"] > 0.6 and test["images"] == 4


def test_it_draws_input_truth_and_prediction(finished):
    directory, _ = finished
    assert (directory / "test.png").read_bytes().startswith(b"\x89PNG")
    for part, steps in (("pictures", range(6)), ("test", [6])):
        found = [
            event.step
            for path in (directory / "logs" / part).glob("events*")
            for event in tf.compat.v1.train.summary_iterator(str(path))
            for value in event.summary.value
            if value.tag == "predictions"
        ]
        assert sorted(found) == list(steps)


def test_it_is_exported(finished, keras_cnn):
    directory, _ = finished
    run = keras_cnn("export", "run", folder=directory.parent)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert "saved_models/run/1" in run.stdout


def test_learning_rates_are_found_for_masks(keras_cnn, pairs, tmp_path):
    run = keras_cnn("lr-find", "--data", f"pairs:{pairs}", *SMALL, "--steps", 60, folder=tmp_path)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert "suggested: --learning_rate" in run.stdout


@pytest.mark.slow
def test_the_space_of_unet_is_searched(tuning, pairs, tmp_path):
    arguments = [
        "--tuner",
        "random",
        "--trials",
        2,
        "--epochs",
        2,
        "--options.width",
        4,
        "--directory",
        "study",
    ]
    run = tuning("search", "--data", f"pairs:{pairs}", "--architecture", "unet", *arguments, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "val_mean_iou" in run.stdout and "IoU of sky" in run.stdout and "options.upsampling" in run.stdout
    rows = (tmp_path / "study" / "trials.csv").read_text().splitlines()
    assert len(rows) == 3 and "loss_" not in rows[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "digits", "--architecture", "unet"], "digits is for classification. Take one of: mlp"),
        (["--architecture", "vgg"], "Take one of: unet, unet_paper"),
        (["--architecture", "unet", "--crop_size", 20, 20], "nearest are 16 and 32"),
        (["--architecture", "unet", "--options.deepness", 2], "unknown option of unet 'deepness'"),
        (["--architecture", "unet", "--augmentation", "cutmix"], "'cutmix' does not go with masks"),
        (["--architecture", "unet", "--loss", "focal"], "loss 'focal'"),
    ],
)
def test_mistakes_are_one_line(complain, pairs, arguments, message):
    data = [] if "--data" in arguments else ["--data", f"pairs:{pairs}"]
    assert message in complain(keras_cnn.cli, "train", "--devices", "2", *data, *map(str, arguments))
