"""Segmentation by the command line: from folders of pairs to a picture of what was found."""

import json

import pytest
import tensorflow as tf

import keras_cnn.cli
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.lr_finder import range_test
from tests.report_pages import check_page

pytestmark = pytest.mark.slow  # `training/test_masks.py` trains and measures the same in one process
NET = ["--options.depth", 1, "--options.convolutions", 1, "--options.width", 4, "--crop_size", 16, 16]
SMALL = ["--architecture", "unet", *NET]
EPOCHS = 4


@pytest.fixture(scope="module")
def finished(keras_cnn, pairs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("masks")
    arguments = ["--augmentation", "flip+rotate90", "--learning_rate", 0.02, "--epochs", EPOCHS]
    options = [*SMALL, *arguments, "--directory", "run"]
    return folder / "run", keras_cnn("train", "--data", f"pairs:{pairs}", *options, folder=folder)


def test_run_of_masks_prints_the_iou_of_each_class(finished):
    directory, run = finished
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert "val_mean_iou 0." in run.stdout
    test = json.loads((directory / "test.json").read_text())
    assert f"IoU of sky {test['iou']['sky']:.4f}, disc {test['iou']['disc']:.4f}" in run.stdout
    assert test["mean_iou"] > 0.6 and test["images"] == 4


def test_report_of_masks_has_the_iou_and_the_shares_of_each_class(finished):
    directory, _ = finished
    reader = check_page((directory / "report.html").read_text(encoding="utf-8"))
    test = json.loads((directory / "test.json").read_text())
    assert f"classes iou dice sky {test['iou']['sky']:.4g} {test['dice']['sky']:.4g} disc" in reader.words
    assert reader.figures["confusion"]["data"][0]["customdata"] == test["confusion"]
    assert "calibration" not in reader.figures


def test_run_of_masks_logs_a_picture_of_each_epoch(finished):
    directory, _ = finished
    assert (directory / "test.png").read_bytes().startswith(b"\x89PNG")
    for part, steps in (("pictures", range(EPOCHS)), ("test", [EPOCHS])):
        found = [
            event.step
            for path in (directory / "logs" / part).glob("events*")
            for event in tf.compat.v1.train.summary_iterator(str(path))
            for value in event.summary.value
            if value.tag == "predictions"
        ]
        assert sorted(found) == list(steps)


def test_run_of_masks_is_exported(finished, monkeypatch, capsys):
    directory, _ = finished
    monkeypatch.chdir(directory.parent)
    assert keras_cnn.cli.main(["export", "run"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "" and "saved_models/run/1" in printed.out


def test_range_test_with_masks_suggests_a_rate(mask_data, one_device):
    settings = TrainSettings(
        architecture="unet",
        options={"depth": 1, "convolutions": 1, "width": 4},
        crop_size=(16, 16),
        precision="float32",
    )
    assert range_test(settings.resolved(mask_data.facts), mask_data, one_device, steps=60).suggested


def test_search_of_the_space_of_unet_reports_its_scores(tuning, pairs, tmp_path):
    arguments = [
        "--tuner",
        "random",
        "--trials",
        2,
        "--epochs",
        2,
        "--workers",
        1,
        *NET,
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
def test_train_with_a_mistake_about_masks_prints_one_line(complain, pairs, arguments, message):
    data = [] if "--data" in arguments else ["--data", f"pairs:{pairs}"]
    assert message in complain(keras_cnn.cli, "train", "--devices", "2", *data, *map(str, arguments))
