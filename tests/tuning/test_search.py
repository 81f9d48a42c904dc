"""The main job as a user runs it: a search, its report, its TensorBoard, its SavedModel."""

import csv
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import numpy as np
import pytest
import tensorflow as tf

from keras_cnn.records import read_json
from keras_cnn.training.run_directory import chosen_run, read_test

pytestmark = pytest.mark.slow  # the quick tests run searches whose trials train nothing


def rows(study):
    return list(csv.DictReader((study / "trials.csv").open()))


def test_search_ends_with_a_summary(finished):
    _, run = finished
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    for pattern in (
        r"best trial \d+:",
        r"test accuracy 0\.\d{4} \(95 % interval",
        r"tensorboard --logdir study/logs",
        r"SavedModel: saved_models/study/1",
        r"\| trial +\| state",
    ):
        assert re.search(pattern, run.stdout), pattern


def test_hyperband_ran_its_whole_plan(finished):
    """max_epochs 3 and factor 3: 3 nets of 1 epoch, the best goes on to 3; then 2 of 3 epochs."""
    study, _ = finished
    epochs = sorted(int(row["epochs"]) for row in rows(study))
    assert epochs == [1, 1, 1, 3, 3, 3]
    assert {row["state"] for row in rows(study)} == {"COMPLETED"}


def test_a_continued_trial_takes_up_weights_seed_and_epoch(finished):
    study, _ = finished
    (continued,) = [row for row in rows(study) if row.get("tuner/trial_id")]
    trial = read_json(study / "trials" / continued["trial"] / "trial.json")
    parent = read_json(study / "trials" / continued["tuner/trial_id"] / "trial.json")
    assert trial["settings"] == parent["settings"]
    assert trial["stop_epoch"] == 3
    metrics = read_json(study / "trials" / continued["trial"] / "metrics.json")
    assert len(metrics["history"]["loss"]) == 2
    before = read_json(study / "trials" / continued["tuner/trial_id"] / "metrics.json")
    assert metrics["history"]["loss"][0] < before["history"]["loss"][0]


def test_the_score_is_the_best_validation_accuracy(finished):
    study, _ = finished
    for row in rows(study):
        metrics = read_json(study / "trials" / row["trial"] / "metrics.json")
        assert float(row["score"]) == max(metrics["history"]["val_accuracy"])
    scores = [float(row["score"]) for row in rows(study)]
    assert scores == sorted(scores, reverse=True)


def test_the_best_is_measured_on_test_and_exported(finished):
    study, run = finished
    best = rows(study)[0]
    test = read_test(study / "trials" / best["trial"])
    assert test["images"] == 359 and sum(map(sum, test["confusion"])) == 359
    assert f"test accuracy {test['accuracy']:.4f}" in run.stdout
    assert not [path for path in study.glob("trials/*/test.json") if path.parent.name != best["trial"]]
    version = study.parent / "saved_models" / "study" / "1"
    assert read_json(version / "card.json")["test"] == test
    assert chosen_run(study) == study / "trials" / best["trial"]  # what keras_cnn export takes of a study
    served = tf.saved_model.load(version)
    answer = served.signatures["serving_default"](images=tf.zeros((3, 8, 8, 1), tf.uint8))["probabilities"]
    np.testing.assert_allclose(np.sum(answer, axis=1), 1, rtol=1e-5)


def test_report_names_the_best_and_every_trial(finished):
    study, _ = finished
    text = (study / "report.md").read_text()
    assert f"Trial {rows(study)[0]['trial']}: val_accuracy" in text
    for row in rows(study):
        assert f"| {row['trial']}" in text
    assert "- options.width: 2 (given)" in text


@pytest.fixture(scope="module")
def tensorboard(finished):
    """A function that asks TensorBoard's server, started on the study's logs."""
    study, _ = finished
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", study / "logs", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(path, body=None):
        url = f"http://127.0.0.1:{port}/data/{path}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        for _ in range(120):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read())
            except OSError:
                time.sleep(0.5)
        raise AssertionError("TensorBoard does not answer")

    yield ask
    server.kill()
    server.wait()


def test_hparams_tab_shows_every_trial_with_its_score(finished, tensorboard):
    study, _ = finished
    names = {"experimentName": "", "startIndex": 0, "sliceSize": 100, "colParams": []}
    states = ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"]
    for _ in range(60):  # the server reads the logs in the background
        groups = tensorboard("plugin/hparams/session_groups", {**names, "allowedStatuses": states})[
            "sessionGroups"
        ]
        if len(groups) == len(rows(study)):
            break
        time.sleep(0.5)
    shown = {group["name"]: group for group in groups}
    assert set(shown) == {row["trial"] for row in rows(study)}
    for row in rows(study):
        group = shown[row["trial"]]
        metrics = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
        assert metrics["trial/score"] == pytest.approx(float(row["score"]), abs=1e-6)
        assert group["sessions"][0]["status"] == "STATUS_SUCCESS"
        assert group["hparams"]["activation"] == row["activation"]
        assert group["hparams"]["state"] == "COMPLETED"
        for name in ("tuner/bracket", "tuner/round"):
            assert group["hparams"][name] == float(row[name])


def test_tensorboard_has_curves_histograms_graph_and_pictures(finished, tensorboard):
    study, _ = finished
    best = rows(study)[0]["trial"]
    scalars = tensorboard("plugin/scalars/tags")
    assert {"epoch_accuracy", "epoch_loss", "epoch_learning_rate"} <= set(scalars[f"{best}/train"])
    assert "epoch_accuracy" in scalars[f"{best}/validation"]
    assert any("conv1/kernel" in tag for tag in tensorboard("plugin/histograms/tags")[f"{best}/train"])
    assert f"{best}/train" in tensorboard("plugin/graphs/info")
    pictures = tensorboard("plugin/images/tags")[f"{best}/test"]
    assert set(pictures) == {"confusion_matrix", "predictions"}
