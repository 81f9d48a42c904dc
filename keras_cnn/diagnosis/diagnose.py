"""diagnose: whether a model learns from its data, at which learning rates, and if not, why."""

import logging
import math
import time
from dataclasses import replace
from typing import Any

import keras

from keras_cnn.diagnosis.causes import causes, mostly_constant, ordered
from keras_cnn.diagnosis.checks.ablation import ablation_findings
from keras_cnn.diagnosis.checks.images import image_findings
from keras_cnn.diagnosis.checks.inputs import scale_findings
from keras_cnn.diagnosis.checks.labels import label_findings
from keras_cnn.diagnosis.checks.output_values import value_findings
from keras_cnn.diagnosis.checks.pretrained import pretrained_findings
from keras_cnn.diagnosis.checks.rate_schedule import schedule_findings
from keras_cnn.diagnosis.checks.signals import too_narrow
from keras_cnn.diagnosis.checks.static import static_findings
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.layer_signals import Signals, measure_signals
from keras_cnn.diagnosis.probe.ablation import ablations
from keras_cnn.diagnosis.probe.baseline import linear_baseline_score
from keras_cnn.diagnosis.probe.data import Sample, sample_of
from keras_cnn.diagnosis.probe.decision import (
    HEALTHY,
    LR_DEPENDENT,
    OVERFIT_LR_MULTIPLIER,
    UNDECIDED,
    UNTRAINABLE,
    good_runs,
    has_learned,
    score_required,
)
from keras_cnn.diagnosis.probe.learning_rate import rate_of
from keras_cnn.diagnosis.probe.objective import Objective, objective_of
from keras_cnn.diagnosis.probe.probability import Start
from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS, SHORT_RUN_STEPS, Probe
from keras_cnn.diagnosis.probe.rate_scale import rate_scale
from keras_cnn.diagnosis.probe.schedule import probe_learning_rates
from keras_cnn.diagnosis.probe.trace import Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.errors import InputError

logger = logging.getLogger(__name__)

MAX_IMAGES = 2048
# findings with which the model cannot be probed
DATA_AT_FAULT = {
    "images_not_finite",
    "labels_out_of_range",
    "one_class",
}  # no change of the model corrects these
FATAL = DATA_AT_FAULT | {"all_frozen", "weights_not_finite", "labels_of_another_form"}
# findings with which only a model that learns at its own learning rate counts as learning
LINEAR_SHARE = 0.7  # of the linear baseline, below which settings that may impair training are tried without
# findings that explain why a model learns slowly, so that no longer run is made
REASON_KNOWN = {"inputs_not_normalized", "inputs_scaled_twice", "labels_unrelated", "masks_of_other_images"}
GRAVE = {"probabilities_expected", "softmax_of_one", "too_few_outputs"}


def diagnose(
    model: keras.Model,
    data: Any,
    *,
    batch_size: int | None = None,
    seconds: float = math.inf,
) -> Diagnosis:
    """Find out whether a model learns from its data, at which learning rates, and if not, why.

    Three levels, with progress logged: static checks of graph, weights and data; one batch forwards and backwards;
    probe runs of 48 to 1,500 steps at the configured learning rate and of 48 (192 with two classes or few images) at up
    to eight others. Afterwards every variable of the model has its old value.

    Args:
        model: a built `keras.Model` of one input and one output that classifies or segments images; if it is not
            compiled, cross-entropy and Adam at 1e-3 are assumed.
        data: arrays (x, y) as `fit` takes them, or batches (x, y), such as a `tf.data.Dataset`; at most 2,048 images
            are used.
        batch_size: images of a training step; None for that of the batches, 64 for arrays.
        seconds: time for probe runs, half of it for the configured learning rate; a model that has learned at no
            learning rate by then is undecided.

    Returns:
        Verdict, learning rates and findings, with the measurements.

    Raises:
        InputError: if the model cannot be diagnosed, or the data do not fit its input.
    """
    sample, levels = sample_of(data, MAX_IMAGES, batch_size), _Levels()
    _check_fits(model, sample)
    findings = [*static_findings(model), *image_findings(sample, model), *label_findings(sample, model)]
    levels.end("static")
    if FATAL & {finding.name for finding in findings}:
        found = ordered(findings)
        return Diagnosis(UNTRAINABLE, rate_of(model), (), found, images=len(sample), seconds=levels.seconds)
    objective = objective_of(model, sample)
    signals = measure_signals(model, sample, objective)
    findings = _with_measured(findings, model, sample)
    linear = linear_baseline_score(sample, objective.shape[-1])
    levels.end("one batch")
    start = None if math.isnan(linear) else _start(signals, linear, objective)
    probe = Probe(model, sample, objective, seconds - sum(levels.seconds.values()), start)
    diagnosis = _probed(model, sample, objective, probe, findings, levels, linear)
    return causes(replace(diagnosis, signals=signals), model, sample)


class _Levels:
    """The time of each level of a diagnosis, logged as it ends."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._clock = time.perf_counter()

    def end(self, level: str) -> None:
        now = time.perf_counter()
        self.seconds[level], self._clock = now - self._clock, now
        logger.info(f"{level}: {self.seconds[level]:.1f} s")


def _probed(
    model: keras.Model,
    sample: Sample,
    objective: Objective,
    probe: Probe,
    findings: list[Finding],
    levels: _Levels,
    linear: float,
) -> Diagnosis:
    """Verdict and learning rates from probe runs, and findings on settings without which the model learns."""
    names = {finding.name for finding in findings}
    overfit = probe.overfit(objective.rate * OVERFIT_LR_MULTIPLIER)
    levels.end("probe of one batch")
    required_score = score_required(linear, probe.null_score_p999)
    raise_threshold = mostly_constant(findings, model) or too_narrow(model, overfit, objective.chance)
    allow_extension = not raise_threshold and not names & REASON_KNOWN
    if names & GRAVE:
        own = probe.run(objective.rate, SHORT_RUN_STEPS, required_score)
        others: list[Trace] = []
    else:
        own, others = probe_learning_rates(
            probe, objective, required_score, raise_threshold=raise_threshold, allow_extension=allow_extension
        )
    levels.end("probe of rates")
    if not probe.expired and any(ablations(model, objective)):
        # such settings may stop a model that has begun to learn
        own = probe.run_own(max(MEDIUM_RUN_STEPS, len(own.losses)))
        sufficient = max(required_score, 0.0 if math.isnan(linear) else LINEAR_SHARE * linear)
        findings = [*findings, *ablation_findings(model, sample, objective, own, sufficient)]
        levels.end("runs without settings")
    accepted = not names & GRAVE or has_learned(own, objective.chance, required_score)
    good = good_runs(own, others, allow_extension, required_score) if accepted else []
    return Diagnosis(
        verdict=_verdict(own, good, probe.expired),
        rate=objective.rate,
        rates=tuple(run.rate for run in good),
        findings=findings,
        chance=objective.chance,
        uniform=objective.uniform,
        images=len(sample),
        linear_baseline_score=linear,
        required_score=required_score,
        traces=[own, *others],
        overfit=overfit,
        seconds=levels.seconds,
    )


def _start(signals: Signals, linear: float, objective: Objective) -> Start:
    usual = rate_scale(objective.optimizer()).usual[0]
    return Start(signals, linear, objective.chance, objective.rate / usual)


def _verdict(own: Trace, good: list[Trace], expired: bool) -> str:
    if any(run is own for run in good):
        return HEALTHY
    if good:
        return LR_DEPENDENT
    return UNDECIDED if expired else UNTRAINABLE


def _with_measured(known: list[Finding], model: keras.Model, sample: Sample) -> list[Finding]:
    """The findings with those from forward passes before training, which replace others of the same name."""
    found = [
        *value_findings(model, sample),
        *scale_findings(sample, model),
        *pretrained_findings(model, sample),
        *schedule_findings(model),
    ]
    names = {finding.name for finding in found}
    return [*(finding for finding in known if finding.name not in names), *found]


def _check_fits(model: keras.Model, sample: Sample) -> None:
    if not model.built:
        raise InputError(
            "the model is not built: call it once, or model.build(input_shape), before the diagnosis."
        )
    inputs = len(getattr(model, "inputs", None) or [])
    if inputs > 1:
        raise InputError(
            f"the model has {inputs} inputs; only models with one input, the image, can be diagnosed."
        )
    expected = getattr(model, "input_shape", None)
    if isinstance(expected, tuple) and len(expected) == sample.x.ndim:
        for expected_size, size in zip(expected[1:], sample.x.shape[1:], strict=True):
            if expected_size not in (None, size):
                raise InputError(
                    f"the model takes images {expected[1:]}, the data have "
                    f"{sample.x.shape[1:]}.{_hint(expected, sample)}"
                )
    elif isinstance(expected, tuple):
        raise InputError(f"the model takes batches {expected}, the data have {sample.x.shape}.")


def _hint(expected: tuple, sample: Sample) -> str:
    """How images of another shape may be made to fit, where that is likely."""
    shape = sample.x.shape
    if len(shape) == 4 and (shape[2], shape[3], shape[1]) == tuple(expected[1:]):
        return " Their channels come first: np.transpose(x, (0, 2, 3, 1)) puts them last."
    return ""
