"""Searches in this process, without the cost of KerasTuner's garbage collections."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def frozen_garbage():
    """KerasTuner collects twice a trial, half a second each with all that a test process has imported."""
    gc.freeze()
    yield
    gc.unfreeze()
