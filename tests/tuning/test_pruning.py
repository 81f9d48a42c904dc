"""Rules that end trials early."""

import pytest

from keras_cnn.errors import InputError
from tuning.pruning import Pruner
from tuning.search_settings import SearchSettings


def judged(kind: str, curves: dict[str, list[float]], late: list[float]) -> list[str]:
    """What is said of `late` after each of its epochs, when the others' curves are known."""
    pruner = Pruner(kind, curves)
    return [pruner.judge("late", epoch, value) for epoch, value in enumerate(late, start=1)]


CURVES = {"a": [0.2, 0.4, 0.6], "b": [0.4, 0.6, 0.8], "c": [0.6, 0.8, 1.0]}


def test_median_compares_the_best_with_the_means_of_the_others():
    assert judged("median", CURVES, [0.39]) == ["below the median 0.4000 after epoch 1"]
    assert judged("median", CURVES, [0.41, 0.0, 0.0]) == [
        "",
        "below the median 0.5000 after epoch 2",
        "below the median 0.6000 after epoch 3",
    ]
    assert judged("median", CURVES, [0.4, 0.5, 0.6]) == ["", "", ""]


def test_asha_keeps_the_best_third_at_epochs_1_3_9():
    curves = {str(n): [n / 10] * 9 for n in range(8)}
    assert judged("asha", curves, [0.45]) == ["below 0.5000, the best third after epoch 1"]
    said = judged("asha", curves, [0.65, 0.0, 0.65, 0, 0, 0, 0, 0, 0.65])
    assert said == [""] * 9
    assert Pruner("asha", curves).judge("late", 2, 0.0) == ""  # no rung


@pytest.mark.parametrize("kind", ["median", "asha"])
def test_nobody_is_ended_for_being_among_the_first(kind):
    two = {name: CURVES[name] for name in "ab"}
    assert judged(kind, two, [0.0, 0.0, 0.0]) == [""] * 3
    short = CURVES | {"c": [0.6]}
    assert judged(kind, short, [0.7, 0.0, 0.0])[1:] == ["", ""]


def test_no_pruner_ends_none():
    assert judged(None, CURVES, [0.0] * 3) == [""] * 3


def test_pruner_counts_repeated_epochs_once():
    pruner = Pruner("median", CURVES)
    for epoch, value in ((1, 0.9), (2, 0.9), (2, 0.1)):
        assert pruner.judge("late", epoch, value) == ""
    assert pruner._values["late"] == [0.9, 0.1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tuner": "hyperband", "pruner": "median"}, "hyperband ends bad trials itself"),
        ({"tuner": "random", "pruner": "median", "repeats": 2}, "a pruner judges single runs"),
        ({"tuner": "random", "pruner": "mean"}, "unknown pruner 'mean'. .*There is: asha, median"),
    ],
)
def test_what_does_not_go_together(settings, message):
    with pytest.raises(InputError, match=message):
        SearchSettings(**settings)
