"""Figures as plain data: axes, and texts that nothing takes for markup."""

import json
import math

import numpy as np
import pytest

from keras_cnn.pages.figures import Figure, integer_axis, log_axis, plot_text, to_json, whole_step


@pytest.mark.parametrize(
    ("span", "step"), [(0, 1), (1, 1), (8, 1), (9, 2), (30, 5), (79, 10), (999, 200), (17_000, 5000)]
)
def test_whole_step_is_a_whole_number_with_at_most_eight_steps(span, step):
    assert whole_step(span) == step and span / step <= 8


@pytest.mark.parametrize("values", [[0], [1, 2], [3, 12], range(1000)])
def test_integer_axis_has_ticks_at_whole_numbers_only(values):
    axis = integer_axis("trial", list(values))
    assert isinstance(axis["dtick"], int) and axis["tick0"] == 0
    assert axis["range"][0] < min(values) and axis["range"][1] > max(values)


def test_log_axis_has_ticks_at_powers_of_ten_and_in_a_small_range_between_them():
    assert log_axis("rate", 1e-4, 0.05)["ticktext"] == ["0.0001", "0.001", "0.01", "0.1"]
    labels = log_axis("weights", 1500, 2e4)["ticktext"]
    assert labels == [
        "1,000",
        "2,000",
        "5,000",
        "10,000",
        "20,000",
        "50,000",
        "100,000",
        "200,000",
        "500,000",
    ]
    assert len(log_axis("wide", 1e-12, 1e12)["tickvals"]) <= 8


def test_plot_text_with_markup_is_shown_as_it_is():
    assert plot_text("<b>&<a href='x'>") == "&lt;b&gt;&amp;&lt;a href='x'&gt;"
    assert plot_text("learning_rate") == "learning_rate"


def test_to_json_of_hostile_text_cannot_end_a_script():
    text = to_json(
        {"name": "</script><!--&", "x": [math.nan, math.inf, 1.234567891, np.float32(0.5), None, True]}
    )
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": "</script><!--&", "x": [None, None, 1.2346, 0.5, None, True]}


def test_to_json_takes_arrays_of_numpy():
    assert (
        to_json({"z": np.array([[1, 2], [3, 4]]), "y": range(2), "k": np.int64(7)})
        == '{"z":[[1,2],[3,4]],"y":[0,1],"k":7}'
    )


def test_figure_has_the_layout_of_all_and_its_own():
    layout = json.loads(Figure("a", "A", "m", [{"x": [1]}], {"barmode": "overlay"}).json)["layout"]
    assert layout["barmode"] == "overlay" and layout["font"]["size"] == 12
