"""diagnose: say of a net and its data whether it will train, at which rates, and if not, why."""

import logging
import time
from typing import Any

import keras

from keras_cnn.diagnosis.causes import causes, mostly_constant, ordered
from keras_cnn.diagnosis.checks.inputs import badly_scaled, input_findings
from keras_cnn.diagnosis.checks.labels import label_findings
from keras_cnn.diagnosis.checks.signals import too_narrow
from keras_cnn.diagnosis.checks.static import static_findings
from keras_cnn.diagnosis.graph.layer_signals import measure_signals
from keras_cnn.diagnosis.probe.baseline import linear_baseline_score
from keras_cnn.diagnosis.probe.data import Sample, sample_of
from keras_cnn.diagnosis.probe.decision import (
    HEALTHY,
    LR_DEPENDENT,
    OVERFIT_LR_MULTIPLIER,
    UNTRAINABLE,
    good_rates,
    has_learned,
    score_required,
)
from keras_cnn.diagnosis.probe.objective import objective_of, rate_of
from keras_cnn.diagnosis.probe.probe import SHORT_RUN_STEPS, Probe, Trace
from keras_cnn.diagnosis.probe.schedule import probe_learning_rates
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.errors import InputError

logger = logging.getLogger(__name__)

IMAGES = 2048
# with these nothing is to be probed
DATA_AT_FAULT = {"images_not_finite", "labels_out_of_range", "one_class"}  # no change of the net mends that
FATAL = DATA_AT_FAULT | {"all_frozen", "weights_not_finite", "labels_of_another_form"}
GRAVE = {"probabilities_expected", "softmax_of_one", "too_few_outputs"}


def diagnose(
    model: keras.Model,
    data: Any,
    *,
    batch_size: int | None = None,
) -> Diagnosis:
    """Examine any built `keras.Model` that classifies or segments images, compiled or not; it stays as it was.

    data: arrays (x, y) as `fit` takes them, or batches of such; a few thousand images at most are used. Where the net
    is not compiled, cross-entropy and Adam at 1e-3 are assumed. Three levels: its graph and weights, without data; one
    batch forwards and backwards; training steps: 48 on one batch, 480 at most at its own rate, fewer the sooner it
    learns, and 48 at a tenth of that; where it does not learn, at most eight times 48 at other rates, and where that
    leaves a doubt 1,500 at its own. Of two classes, or few images, luck tells as much as a net after 48 steps; there
    they are 192. Progress is logged.
    Raises InputError for data that cannot be fed to it.
    """
    clock, seconds = time.perf_counter(), {}

    def lap(level: str) -> None:
        nonlocal clock
        seconds[level] = time.perf_counter() - clock
        clock = time.perf_counter()
        logger.info(f"{level}: {seconds[level]:.1f} s")

    sample = sample_of(data, IMAGES, batch_size)
    _check_fits(model, sample)
    findings = static_findings(model)
    lap("static")
    findings += [*input_findings(sample), *label_findings(sample, model)]
    found = {finding.name for finding in findings}
    if found & FATAL:
        return Diagnosis(
            UNTRAINABLE, rate_of(model), (), ordered(findings), images=len(sample), seconds=seconds
        )
    objective = objective_of(model, sample)
    signals = measure_signals(model, sample, objective)
    lap("one batch")
    grave = bool(found & GRAVE)  # so that only a net that learns at once is believed to learn
    probe = Probe(model, sample, objective)
    overfit = probe.overfit(objective.rate * OVERFIT_LR_MULTIPLIER)
    lap("probe of one batch")
    linear = linear_baseline_score(sample, objective.shape[-1])
    required_score = score_required(linear, probe.null_score_p999)
    raise_threshold = mostly_constant(findings, model) or too_narrow(model, overfit, objective.chance)
    allow_extension = not raise_threshold and not badly_scaled(sample, model)
    others: list[Trace] = []
    if grave:
        own = probe.run(objective.rate, SHORT_RUN_STEPS, required_score)
    else:
        own, others = probe_learning_rates(
            probe, objective, required_score, raise_threshold=raise_threshold, allow_extension=allow_extension
        )
    lap("probe of rates")
    believed = not grave or has_learned(own, objective.chance, required_score)
    rates = good_rates(own, others, allow_extension, required_score) if believed else ()
    verdict = HEALTHY if objective.rate in rates else LR_DEPENDENT if rates else UNTRAINABLE
    given = Diagnosis(
        verdict,
        objective.rate,
        rates,
        findings,
        objective.chance,
        len(sample),
        linear,
        required_score,
        signals,
        [own, *others],
        overfit,
        seconds,
    )
    return causes(given, model, sample)


def _check_fits(model: keras.Model, sample: Sample) -> None:
    if not model.built:
        raise InputError(
            "the net is not built: call it once, or model.build(input_shape), before it is diagnosed."
        )
    several = len(getattr(model, "inputs", None) or [])
    if several > 1:
        raise InputError(f"the net has {several} inputs; only nets of one, the image, can be examined.")
    wanted = getattr(model, "input_shape", None)
    if isinstance(wanted, tuple) and len(wanted) == sample.x.ndim:
        for expected, size in zip(wanted[1:], sample.x.shape[1:], strict=True):
            if expected not in (None, size):
                raise InputError(f"the net takes images {wanted[1:]}, the data hold {sample.x.shape[1:]}.")
    elif isinstance(wanted, tuple):
        raise InputError(f"the net takes batches {wanted}, the data give {sample.x.shape}.")
