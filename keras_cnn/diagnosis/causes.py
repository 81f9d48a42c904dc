"""Why a net does, or does not, train: findings from what was measured, weighed by the verdict."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import keras

from keras_cnn.diagnosis.checks.signals import SIGNAL_REMEDIES, signal_findings
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import kernel_layers
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import (
    DOUBT_FACTOR,
    HEALTHY,
    LR_DEPENDENT,
    UNTRAINABLE,
    final_score,
    learns_within_short_run,
    loss_drops,
)
from keras_cnn.diagnosis.probe.probe import SHORT_RUN_STEPS, Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    CLIP,
    INITIALIZER,
    INSPECT_SAMPLES,
    LR_FIND,
    Suggestion,
)

HEALTHY_CONFIDENCE_FACTOR = 0.3  # confidence in a net that trains, as a share of that in one that does not


def causes(diagnosis: Diagnosis, model: keras.Model, sample: Sample) -> Diagnosis:
    """`given` with all findings, in order, and with the verdict that a layer too narrow, or constant kernels, make of
    it: such a net may learn a little, by what is left of it."""
    measured = [*signal_findings(diagnosis, model, sample), *_rates(diagnosis)]
    narrow = any(finding.name == "too_narrow" for finding in measured)
    raise_threshold = narrow or mostly_constant(diagnosis.findings, model)
    if (
        diagnosis.verdict == HEALTHY
        and raise_threshold
        and final_score(diagnosis.traces[0]) < DOUBT_FACTOR * diagnosis.required_score
    ):
        diagnosis = replace(diagnosis, verdict=UNTRAINABLE, rates=())
    if diagnosis.verdict == HEALTHY:
        measured = [*(_downweighted(finding) for finding in measured), *_faster(diagnosis), *_slow(diagnosis)]
    found = [*_not_refuted(diagnosis), *measured]
    if diagnosis.verdict == UNTRAINABLE and not any(finding.confidence >= 0.5 for finding in found):
        found.append(_unexplained(diagnosis))
    return replace(diagnosis, findings=ordered(found))


def _not_refuted(diagnosis: Diagnosis) -> Iterator[Finding]:
    """The findings made before training, but not what training disproved: whoever learns unrelated labels by heart
    tells nothing of images held out."""
    for finding in diagnosis.findings:
        if diagnosis.verdict == UNTRAINABLE or finding.name != "labels_unrelated":
            yield finding


def mostly_constant(findings: Iterable[Finding], model: keras.Model) -> bool:
    """Whether most hidden kernels are constant. The last of each residual block may be (Goyal et al. 2017, section
    5.1), for the block passes its input on."""
    constant = {finding.layer for finding in findings if finding.name == "constant_kernel"}
    return len(constant) > (len(kernel_layers(model)) - 1) / 2


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The most confident first; of those of one name the first, which tells how many more layers show it."""
    by_name: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.confidence):
        by_name.setdefault(finding.name, []).append(finding)
    return [
        replace(first, message=f"{first.message} So it is in {len(rest)} more layer{'s' * (len(rest) > 1)}.")
        if rest
        else first
        for first, *rest in by_name.values()
    ]


def _downweighted(finding: Finding) -> Finding:
    return replace(finding, confidence=round(HEALTHY_CONFIDENCE_FACTOR * finding.confidence, 3))


def _rates(diagnosis: Diagnosis) -> Iterator[Finding]:
    if diagnosis.verdict != LR_DEPENDENT:
        return
    best, own = diagnosis.rates[0], diagnosis.traces[0]
    low = best > diagnosis.rate
    start, end = (loss_drops(own, diagnosis.chance)[index] for index in (0, -1))
    at_best = next(trace for trace in diagnosis.traces if trace.rate == best)
    yield Finding(
        "rate_too_low" if low else "rate_too_high",
        f"At its rate of {diagnosis.rate:.1e} the loss of images held out went from {1 - start:.2f} to {1 - end:.2f} times "
        f"chance, and after {len(own.losses)} steps its outputs tell {final_score(own):.1%} of what there is to tell the "
        f"classes apart; at {best:.1e} {final_score(at_best):.1%} after {len(at_best.losses)}.",
        "Its steps are so small that the net hardly moves."
        if low
        else "Its steps overshoot: they throw the weights to where gradients are noise or zero. Initialization and "
        "rate are one joint cause: a net whose signal fades trains, if at all, only at small rates.",
        (
            _as_in_the_probe(at_best),
            LR_FIND,
            *(() if low else (CLIP,)),
        ),
        0.95,
        numbers={"rate": diagnosis.rate, "best": best, "before": start, "after": end},
        remedies=("learning_rate",) if low else ("learning_rate", "gradient_clipping", "batch_normalization"),
    )


def _faster(diagnosis: Diagnosis) -> Iterator[Finding]:
    """Of a net that trains: does it train better at another rate, in no more steps?"""
    own, *others = diagnosis.traces
    best = max((one for one in others if len(one.losses) <= len(own.losses)), key=final_score, default=own)
    if final_score(best) > final_score(own):
        yield Finding(
            "better_rate",
            f"At {best.rate:.1e} its outputs tell {final_score(best):.1%} of what there is to tell the classes apart after "
            f"{len(best.losses)} steps, at its own of {diagnosis.rate:.1e} {final_score(own):.1%} after {len(own.losses)}.",
            "It trains, but its steps are too " + ("small." if best.rate > diagnosis.rate else "large."),
            (_as_in_the_probe(best), LR_FIND),
            0.45,
            numbers={"rate": diagnosis.rate, "best": best.rate},
            remedies=("learning_rate",),
        )


def _as_in_the_probe(trace: Trace) -> Suggestion:
    return Suggestion(
        f"a learning rate of {trace.rate:.1e}",
        f"as in the probe, where it told {final_score(trace):.1%} after {len(trace.losses)} steps",
    )


def _slow(diagnosis: Diagnosis) -> Iterator[Finding]:
    if diagnosis.traces and not learns_within_short_run(diagnosis.traces[0]):
        own = diagnosis.traces[0]
        yield Finding(
            "slow_start",
            f"In {SHORT_RUN_STEPS} steps at {diagnosis.rate:.1e} its outputs told nothing, in {len(own.losses)} {final_score(own):.1%} "
            "of what there is to tell the classes apart.",
            "The net stands on a plateau first, or its rate is small; it will train, but waits.",
            (LR_FIND, INITIALIZER, BATCH_NORM),
            0.4,
            remedies=("learning_rate", "batch_normalization", "initialization"),
        )


def _unexplained(diagnosis: Diagnosis) -> Finding:
    return Finding(
        "no_cause_found",
        f"At none of {len(diagnosis.traces)} rates did it learn to tell images held out apart.",
        "Nothing measured explains it.",
        (
            INSPECT_SAMPLES,
            Suggestion(
                "start from a net that learns, and change one thing at a time",
                "the change that stops it is the cause",
            ),
        ),
        0.1,
        remedies=SIGNAL_REMEDIES,
    )
