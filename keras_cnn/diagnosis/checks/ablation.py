"""Findings on settings without which the model learns."""

import logging
from collections.abc import Iterator

import keras

from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.probe.ablation import ablations, learns_without, run_without
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import final_score
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.diagnosis.probe.trace import Trace

logger = logging.getLogger(__name__)


def ablation_findings(
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
    for ablation in ablations(model, objective):
        logger.info(f"{ablation.message}: training without it")
        without = run_without(model, sample, ablation, own, sufficient)
        if learns_without(own, without):
            yield make_finding(
                ablation.finding,
                f"{ablation.message}. The score is {final_score(own):.1%} after {len(own.losses)} steps with it, and "
                f"{final_score(without):.1%} after {len(without.losses)} without.",
                0.96,
                ablation.layers[0].name if ablation.layers else "",
                ablation.numbers | {"with": final_score(own), "without": final_score(without)},
            )
