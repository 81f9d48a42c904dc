"""Why a model does, or does not, learn: all findings, weighted by the verdict and put in order."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import keras

from keras_cnn.diagnosis.checks.signals import signal_findings
from keras_cnn.diagnosis.findings import FINDINGS, Finding, make_finding
from keras_cnn.diagnosis.graph.graph import kernel_layers, layers_of
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import (
    DOUBT_FACTOR,
    HEALTHY,
    LR_DEPENDENT,
    UNTRAINABLE,
    fails_from_other_weights,
    final_score,
    learns_within_short_run,
    loss_drops,
)
from keras_cnn.diagnosis.probe.probe import MEDIUM_RUN_STEPS, SHORT_RUN_STEPS
from keras_cnn.diagnosis.probe.trace import Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import BATCH_NORM, Suggestion

HEALTHY_CONFIDENCE_FACTOR = (
    0.3  # confidence in a finding on a healthy model / on an untrainable one; set by hand
)
REFUTABLE = {"inputs_not_normalized"}  # of less weight where a model learns
MAX_PLACE_RATIO = 1.5  # score / score of the mean mask, above which masks belong to their images
DIVERGED_CONFIDENCE = 0.97  # of a loss that may become infinite, where it did
LIKELY_CONFIDENCE = 0.5  # of a finding that explains why a model does not learn


def causes(diagnosis: Diagnosis, model: keras.Model, sample: Sample) -> Diagnosis:
    """Complete a diagnosis: add the findings from signals and traces, weight and order all of them.

    A bottleneck or mostly constant kernels double the required score: a healthy verdict with a lower score becomes
    untrainable, because such a model learns only with its few working layers.

    Args:
        diagnosis: with verdict, static findings, signals and traces.
        model: the model that was diagnosed.
        sample: the images it was diagnosed with.

    Returns:
        The diagnosis with its final verdict and all findings, the most confident first.
    """
    measured = [*signal_findings(diagnosis, model, sample), *_learning_rate(diagnosis)]
    narrow = any(finding.name == "too_narrow" for finding in measured)
    raise_threshold = narrow or mostly_constant(diagnosis.findings, model)
    if (
        diagnosis.verdict == HEALTHY
        and raise_threshold
        and final_score(diagnosis.traces[0]) < DOUBT_FACTOR * diagnosis.required_score
    ):
        diagnosis = replace(diagnosis, verdict=UNTRAINABLE, rates=())
    if diagnosis.verdict == HEALTHY:
        measured = [
            *(_downweighted(finding) for finding in measured),
            *_better_rate(diagnosis),
            *_slow(diagnosis),
        ]
    found = [*_not_refuted(diagnosis), *measured]
    if diagnosis.verdict == UNTRAINABLE and not any(
        finding.confidence >= LIKELY_CONFIDENCE for finding in found
    ):
        message = f"The model learned at none of {len(diagnosis.traces)} learning rates."
        found.append(make_finding("no_cause_found", message, 0.1))
    return replace(diagnosis, findings=ordered(_applicable(finding, model) for finding in found))


def _applicable(finding: Finding, model: keras.Model) -> Finding:
    """The finding without the suggestion to add batch normalization to a model that has it."""
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers_of(model)):
        return finding
    return replace(finding, suggestions=tuple(one for one in finding.suggestions if one != BATCH_NORM))


def _not_refuted(diagnosis: Diagnosis) -> Iterator[Finding]:
    """The findings made before training that training did not disprove.

    A model that scores on held-out images has labels that depend on the images; masks that belong to other images can
    still be predicted from the place of most objects.
    """
    healthy, score = diagnosis.verdict == HEALTHY, final_score(diagnosis.traces[0])
    for finding in diagnosis.findings:
        if finding.name == "labels_unrelated" and diagnosis.verdict in (HEALTHY, LR_DEPENDENT):
            continue
        if (
            finding.name == "masks_of_other_images"
            and score > MAX_PLACE_RATIO * finding.numbers["place_score"]
        ):
            continue
        if finding.name == "loss_not_finite_at_bounds" and not diagnosis.traces[0].finite:
            yield replace(finding, confidence=DIVERGED_CONFIDENCE)
            continue
        yield _downweighted(finding) if healthy and finding.name in REFUTABLE else finding


def mostly_constant(findings: Iterable[Finding], model: keras.Model) -> bool:
    """Whether most hidden kernels are constant.

    The last kernel of each residual block may be, because the block then passes on its input (Goyal et al. 2017,
    section 5.1).
    """
    constant = {finding.layer for finding in findings if finding.name == "constant_kernel"}
    return len(constant) > (len(kernel_layers(model)) - 1) / 2


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The most confident first; of several with one name the first, with the number of the others in its message."""
    by_name: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.confidence):
        by_name.setdefault(finding.name, []).append(finding)
    return [
        replace(first, message=f"{first.message} {len(rest)} more layer{'s' * (len(rest) > 1)}: the same.")
        if rest
        else first
        for first, *rest in by_name.values()
    ]


def _downweighted(finding: Finding) -> Finding:
    return replace(finding, confidence=round(HEALTHY_CONFIDENCE_FACTOR * finding.confidence, 3))


def _learning_rate(diagnosis: Diagnosis) -> Iterator[Finding]:
    if diagnosis.verdict != LR_DEPENDENT:
        return
    best, own = diagnosis.rates[0], diagnosis.traces[0]
    if any(finding.name == "schedule_decays_too_fast" for finding in diagnosis.findings):
        return
    name = "rate_too_low" if best > diagnosis.rate else "rate_too_high"
    start, end = (loss_drops(own, diagnosis.chance)[index] for index in (0, -1))
    at_best = next(trace for trace in diagnosis.traces if trace.rate == best)
    there = f"at {best:.1e} it is {final_score(at_best):.1%} after {len(at_best.losses)}"
    message = (
        f"At its learning rate of {diagnosis.rate:.1e} the held-out loss went from {1 - start:.2f} to {1 - end:.2f} of "
        f"chance, and the score is {final_score(own):.1%} after {len(own.losses)} steps; {there}."
    )
    if fails_from_other_weights(own):
        message = (
            f"At its learning rate of {diagnosis.rate:.1e} whether the model learns depends on its initial weights: "
            f"the score is {final_score(own):.1%} from these and {min(own.other_starts):.1%} from others after "
            f"{MEDIUM_RUN_STEPS} steps; {there}."
        )
    yield make_finding(
        name,
        message,
        0.95,
        numbers={"rate": diagnosis.rate, "best": best, "before": start, "after": end},
        suggestions=(_probed_rate(at_best), *FINDINGS[name].suggestions),
    )


def _better_rate(diagnosis: Diagnosis) -> Iterator[Finding]:
    """A learning rate at which a healthy model scores higher in no more steps."""
    own, *others = diagnosis.traces
    best = max((one for one in others if len(one.losses) <= len(own.losses)), key=final_score, default=own)
    if final_score(best) > final_score(own):
        yield make_finding(
            "better_rate",
            f"The score is {final_score(best):.1%} after {len(best.losses)} steps at {best.rate:.1e}, and "
            f"{final_score(own):.1%} after {len(own.losses)} at the configured learning rate of {diagnosis.rate:.1e}.",
            0.45,
            numbers={"rate": diagnosis.rate, "best": best.rate},
            suggestions=(_probed_rate(best), *FINDINGS["better_rate"].suggestions),
        )


def _probed_rate(trace: Trace) -> Suggestion:
    return Suggestion(
        f"use a learning rate of {trace.rate:.1e}",
        f"as in the probe, where it scored {final_score(trace):.1%} after {len(trace.losses)} steps",
    )


def _slow(diagnosis: Diagnosis) -> Iterator[Finding]:
    if diagnosis.traces and not learns_within_short_run(diagnosis.traces[0]):
        own = diagnosis.traces[0]
        message = (
            f"At a learning rate of {diagnosis.rate:.1e} the score is at noise level after {SHORT_RUN_STEPS} steps, "
            f"and {final_score(own):.1%} after {len(own.losses)}."
        )
        yield make_finding("slow_start", message, 0.4)
