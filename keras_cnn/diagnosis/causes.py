"""Why a net does, or does not, train: findings from what was measured, weighed by the verdict."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import keras

from keras_cnn.diagnosis.checks.signals import REVIVE, symptoms
from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.graph.graph import weighted
from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.decision import CONDITIONAL, DEAD, HEALTHY, SURE, at_once, drops, reached
from keras_cnn.diagnosis.probe.probe import STEPS, Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import BATCH_NORM, CLIP, INITIALIZER, LOOK, LR_FIND, Cure

HARMLESS = 0.3  # confidence in a net that trains, as a share of that in one that does not


def causes(given: Diagnosis, model: keras.Model, sample: Sample) -> Diagnosis:
    """`given` with all findings, in order, and with the verdict that a layer too narrow, or constant kernels, make of
    it: such a net may learn a little, by what is left of it."""
    measured = [*symptoms(given, model, sample), *_rates(given)]
    narrow = any(finding.name == "too_narrow" for finding in measured)
    doubted = narrow or mostly_constant(given.findings, model)
    if given.verdict == HEALTHY and doubted and reached(given.traces[0]) < SURE * given.asked:
        given = replace(given, verdict=DEAD, rates=())
    if given.verdict == HEALTHY:
        measured = [*(_lessened(finding) for finding in measured), *_faster(given), *_slow(given)]
    found = [*_borne_out(given), *measured]
    if given.verdict == DEAD and not any(finding.confidence >= 0.5 for finding in found):
        found.append(_unexplained(given))
    return replace(given, findings=ordered(found))


def _borne_out(given: Diagnosis) -> Iterator[Finding]:
    """The findings made before training, but not what training disproved: whoever learns unrelated labels by heart
    tells nothing of images held out."""
    for finding in given.findings:
        if given.verdict == DEAD or finding.name != "labels_unrelated":
            yield finding


def mostly_constant(findings: Iterable[Finding], model: keras.Model) -> bool:
    """Whether most hidden kernels are constant. The last of each residual block may be (Goyal et al. 2017, section
    5.1), for the block passes its input on."""
    constant = {finding.layer for finding in findings if finding.name == "constant_kernel"}
    return len(constant) > (len(weighted(model)) - 1) / 2


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The most confident first; of those of one name the first, which tells how many more layers show it."""
    by_name: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: -finding.confidence):
        by_name.setdefault(finding.name, []).append(finding)
    return [
        replace(first, symptom=f"{first.symptom} So it is in {len(rest)} more layer{'s' * (len(rest) > 1)}.")
        if rest
        else first
        for first, *rest in by_name.values()
    ]


def _lessened(finding: Finding) -> Finding:
    return replace(finding, confidence=round(HARMLESS * finding.confidence, 3))


def _rates(given: Diagnosis) -> Iterator[Finding]:
    if given.verdict != CONDITIONAL:
        return
    best, own = given.rates[0], given.traces[0]
    low = best > given.rate
    start, end = (drops(own, given.chance)[index] for index in (0, -1))
    at_best = next(trace for trace in given.traces if trace.rate == best)
    yield Finding(
        "rate_too_low" if low else "rate_too_high",
        f"At its rate of {given.rate:.1e} the loss of images held out went from {1 - start:.2f} to {1 - end:.2f} times "
        f"chance, and after {len(own.losses)} steps its outputs tell {reached(own):.1%} of what there is to tell the "
        f"classes apart; at {best:.1e} {reached(at_best):.1%} after {len(at_best.losses)}.",
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
        numbers={"rate": given.rate, "best": best, "before": start, "after": end},
        remedies=("learning_rate",) if low else ("learning_rate", "gradient_clipping", "batch_normalization"),
    )


def _faster(given: Diagnosis) -> Iterator[Finding]:
    """Of a net that trains: does it train better at another rate, in no more steps?"""
    own, *others = given.traces
    best = max((one for one in others if len(one.losses) <= len(own.losses)), key=reached, default=own)
    if reached(best) > reached(own):
        yield Finding(
            "better_rate",
            f"At {best.rate:.1e} its outputs tell {reached(best):.1%} of what there is to tell the classes apart after "
            f"{len(best.losses)} steps, at its own of {given.rate:.1e} {reached(own):.1%} after {len(own.losses)}.",
            "It trains, but its steps are too " + ("small." if best.rate > given.rate else "large."),
            (_as_in_the_probe(best), LR_FIND),
            0.45,
            numbers={"rate": given.rate, "best": best.rate},
            remedies=("learning_rate",),
        )


def _as_in_the_probe(trace: Trace) -> Cure:
    return Cure(
        f"a learning rate of {trace.rate:.1e}",
        f"as in the probe, where it told {reached(trace):.1%} after {len(trace.losses)} steps",
    )


def _slow(given: Diagnosis) -> Iterator[Finding]:
    if given.traces and not at_once(given.traces[0]):
        own = given.traces[0]
        yield Finding(
            "slow_start",
            f"In {STEPS} steps at {given.rate:.1e} its outputs told nothing, in {len(own.losses)} {reached(own):.1%} "
            "of what there is to tell the classes apart.",
            "The net stands on a plateau first, or its rate is small; it will train, but waits.",
            (LR_FIND, INITIALIZER, BATCH_NORM),
            0.4,
            remedies=("learning_rate", "batch_normalization", "initialization"),
        )


def _unexplained(given: Diagnosis) -> Finding:
    return Finding(
        "no_cause_found",
        f"At none of {len(given.traces)} rates did it learn to tell images held out apart.",
        "Nothing measured explains it.",
        (
            LOOK,
            Cure(
                "start from a net that learns, and change one thing at a time",
                "the change that stops it is the cause",
            ),
        ),
        0.1,
        remedies=REVIVE,
    )
