"""Pictures of a run, whatever its classes are called."""

import numpy as np
import pytest

from keras_cnn.data.dataset import Split
from keras_cnn.files import to_png
from keras_cnn.training.plots import confusion_figure, sample_figure


@pytest.mark.parametrize("name", [r"$\frac$", "cheap ($5) or ($10)", "no text: \udcff", "two\nlines"])
def test_figures_show_any_name_of_a_class(name):
    split = Split(np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 1]))
    for figure in (
        confusion_figure((name, "other"), [[1, 0], [0, 1]]),
        sample_figure((name, "other"), split, np.array([[0.1, 0.9], [0.9, 0.1]])),
    ):
        assert to_png(figure).startswith(b"\x89PNG")
