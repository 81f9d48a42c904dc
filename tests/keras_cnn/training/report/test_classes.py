"""Confusion matrix, precision, recall and calibration: the right numbers, whatever classes are called."""

import json

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from keras_cnn.training.report.classes import by_class, calibration, confusion
from tests.report_pages import check_figure

CLASSES = ("cat", "dog", "<b>owl</b>")
COUNTS = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 5]])


def drawn(figure) -> dict:
    content = json.loads(figure.json)
    check_figure(content)
    return content


def test_confusion_has_counts_in_cells_shares_as_colors_and_names_the_most_frequent_mistake():
    figure = confusion(CLASSES, COUNTS, "images")
    (heat,) = drawn(figure)["data"]
    assert heat["z"] == [[0.8, 0.2, None], [0.1, 0.9, None], [None, None, 1.0]]
    assert (
        heat["text"] == [["8", "2", ""], ["1", "9", ""], ["", "", "5"]]
        and heat["customdata"] == COUNTS.tolist()
    )
    assert "Most often cat is taken for dog: 2 of 10 images." in figure.message
    assert figure.lines == [("cat", "dog", "2", "10"), ("dog", "cat", "1", "10")]
    assert drawn(figure)["layout"]["xaxis"]["ticktext"][2] == "&lt;b&gt;owl&lt;/b&gt;"


def test_confusion_of_pixels_has_shares_in_cells():
    assert drawn(confusion(CLASSES, 1000 * COUNTS, "pixels"))["data"][0]["text"][0] == ["80.0%", "20.0%", ""]


def test_confusion_without_mistakes_says_so_and_of_many_classes_has_no_numbers():
    figure = confusion([str(k) for k in range(100)], np.diag(np.full(100, 3)), "images")
    assert "No mistakes." in figure.message and "texttemplate" not in drawn(figure)["data"][0]


def test_by_class_has_precision_and_recall_of_each_class_the_worst_on_top():
    figure = by_class(CLASSES, COUNTS, "images")
    truth, predicted = (np.repeat(index.ravel(), COUNTS.ravel()) for index in np.indices(COUNTS.shape))
    precision, recall, _, _ = precision_recall_fscore_support(truth, predicted)
    bars = {bar["name"]: bar["x"] for bar in drawn(figure)["data"]}
    assert bars["recall"] == pytest.approx(recall[::-1], abs=1e-4)  # from below; cat < dog < owl
    assert bars["precision"] == pytest.approx(precision[::-1], abs=1e-4)
    assert figure.message.startswith("cat has the lowest recall: 80.0% of its 10 images are found;")
    assert [line[0] for line in figure.lines] == list(CLASSES)


def test_by_class_without_an_image_of_a_class_is_not_its_lowest():
    counts = np.array([[0, 0], [1, 3]])
    assert by_class(("none", "some"), counts, "images").message.startswith(
        "some has the lowest recall: 75.0% of its 4"
    )


def test_calibration_has_a_point_for_each_bin_that_is_filled():
    confidence = np.array([0.95, 0.96, 0.97, 0.98, 0.6, 0.62])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    figure = calibration(probabilities, np.array([0, 0, 0, 1, 1, 0]))
    line, points = drawn(figure)["data"]
    assert line["x"] == line["y"] == [0, 1]
    assert points["x"] == pytest.approx([0.61, 0.965], abs=1e-4) and points["y"] == [0.5, 0.75]
    assert points["text"] == ["2 images", "4 images"]
    assert (
        "The mean probability of its answers is 84.7%, and 66.7% are right: the model is less often"
        in figure.message
    )
