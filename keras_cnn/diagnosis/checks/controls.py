"""Findings that a control run proved: the model learns without the setting."""

import logging
from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.controls import control_run, proves, suspects
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import final_score
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.diagnosis.probe.probe import Trace

logger = logging.getLogger(__name__)


def control_findings(
    model: keras.Model, sample: Sample, objective: Objective, own: Trace, sufficient: float
) -> Iterator[Finding]:
    """Findings on penalties, dropout, noise, augmentation, weight decay and clipping that keep a model from learning.

    Args:
        model: the model.
        sample: images and labels.
        objective: its loss and optimizer.
        own: its run at the configured learning rate.
        sufficient: score of `own` from which on nothing is tried, in [0, 1].
    """
    if final_score(own) >= sufficient:
        return
    for suspect in suspects(model, objective):
        logger.info(f"control: {suspect.message}; training without it")
        control = control_run(model, sample, suspect, own, sufficient)
        if proves(own, control):
            yield make_finding(
                suspect.finding,
                f"{suspect.message}. The score is {final_score(own):.1%} after {len(own.losses)} steps with it, and "
                f"{final_score(control):.1%} after {len(control.losses)} without.",
                0.96,
                suspect.layers[0].name if suspect.layers else "",
                suspect.numbers | {"with": final_score(own), "without": final_score(control)},
            )
