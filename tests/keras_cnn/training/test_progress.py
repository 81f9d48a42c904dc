"""What a person sees of a run within its epochs, on a terminal and in a log file."""

import io

import keras
import numpy as np
import pytest
from rich.console import Console

from keras_cnn.logs import redirected
from keras_cnn.training import progress
from keras_cnn.training.progress import StepProgress


@pytest.fixture
def fit(one_device):
    """A function: trains a tiny model for two epochs of four steps with a callback; returns what is logged."""

    def run(callback: StepProgress) -> list[str]:
        lines: list[str] = []
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        x, y = np.zeros((8, 2)), np.zeros((8, 1))
        with redirected(lines.append):
            model.fit(x, y, batch_size=2, epochs=2, validation_data=(x, y), callbacks=[callback], verbose=0)
        return lines

    return run


def test_log_file_has_a_line_after_each_silence(fit, monkeypatch):
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    lines = fit(StepProgress(2, 4, Console(file=io.StringIO(), force_terminal=False)))
    assert lines[0] == "building the graph: the first step takes the longest"
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [f"epoch {epoch}/2", f" step {step}/4"] for epoch in (1, 2) for step in (1, 2, 3, 4)
    ]
    assert all("loss 0.0000" in line for line in lines[1:])
    assert "left" not in lines[1] and lines[2].endswith("s left") and lines[-1].endswith("0 s left")


def test_log_file_without_a_silence_has_no_line(fit):
    lines = fit(StepProgress(2, 4, Console(file=io.StringIO(), force_terminal=False)))
    assert len(lines) == 1


def test_terminal_has_a_bar_that_vanishes(fit):
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    assert fit(StepProgress(2, 4, console)) == []
    assert "epoch 2/2" in shown.getvalue()
    assert shown.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # the line is erased, the cursor shown
