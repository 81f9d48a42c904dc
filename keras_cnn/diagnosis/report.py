"""A diagnosis as text, as a figure, as JSON, and in TensorBoard."""

import math
import textwrap
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.probe.decision import HEALTHY, LR_DEPENDENT, UNDECIDED, UNTRAINABLE, final_score
from keras_cnn.diagnosis.probe.trace import Trace
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import Suggestion
from keras_cnn.files import to_png, write_bytes, write_text
from keras_cnn.records import write_record
from keras_cnn.training.plots import as_image

WIDTH = 100
COURSE_POINTS = 6
MEANING = {
    HEALTHY: "at its own learning rate of {rate:.1e}",
    LR_DEPENDENT: "not at its own learning rate of {rate:.1e}, but at {rates}",
    UNDECIDED: "it had not learned at {rate:.1e}, nor at {others} others, when the time was over",
    UNTRAINABLE: "at its own learning rate of {rate:.1e} and at {others} others",
}


def text(diagnosis: Diagnosis) -> str:
    """The diagnosis for a terminal: verdict, measurements, and each finding with its numbers and suggestions."""
    others = max(0, len(diagnosis.traces) - 1)
    meaning = MEANING[diagnosis.verdict].format(
        rate=diagnosis.rate, rates=", ".join(f"{rate:.1e}" for rate in diagnosis.rates), others=others
    )
    if not diagnosis.traces:
        meaning = "not trained: with the first finding no training is possible"
    lines = [f"verdict: {diagnosis.verdict} ({meaning})"]
    if diagnosis.signals:
        signals = diagnosis.signals
        lines.append(
            f"before training: loss {signals.loss:.3f} (chance {diagnosis.chance:.3f}), standard deviation of the "
            f"logits over images {signals.logit_std:.1e}"
        )
    lines += _probes(diagnosis)
    lines.append(
        "time: " + ", ".join(f"{level} {seconds:.1f} s" for level, seconds in diagnosis.seconds.items())
    )
    explained: set[Suggestion] = set()
    if diagnosis.findings and diagnosis.verdict == HEALTHY:
        lines += ["", "The model learns. What could be better:"]
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += ["", *_finding(number, finding, explained)]
        explained.update(finding.suggestions)
    if not diagnosis.findings:
        lines += ["", "Nothing was found that could be better."]
    return "\n".join(lines)


def _probes(diagnosis: Diagnosis) -> list[str]:
    """A table of the probe runs, and the required score."""
    rows = [
        f"{len(trace.losses):5}  {trace.rate:7.1e}  {trace.held_out[0]:8.3f} -> {trace.held_out[-1]:8.3f}  "
        f"{trace.logit_stds[0]:7.1e} -> {trace.logit_stds[-1]:7.1e}  {final_score(trace):6.1%}"
        for trace in diagnosis.traces
    ]
    head = f"steps  {'lr':>7}  {'held-out loss':>20}  {'std of logits':>18}  {'score':>6}"
    if rows:
        own = diagnosis.traces[0]
        rows.append(f"score at {own.rate:.1e} by step: {_course(own)}")
        if diagnosis.verdict != HEALTHY and not math.isnan(own.probability):
            rows.append(f"probability that longer training helps at {own.rate:.1e}: {own.probability:.0%}")
    note = f"required score: {diagnosis.required_score:.1%}"
    if not math.isnan(diagnosis.linear_baseline_score):
        note += f"; score of a linear classifier of 8x8 images: {diagnosis.linear_baseline_score:.1%}"
    return [head, *rows, note] if rows else []


def _course(trace: Trace) -> str:
    """The score at about six steps of a run."""
    places = sorted({round(place) for place in np.linspace(0, len(trace.scores) - 1, COURSE_POINTS)})
    steps = len(trace.losses) / max(1, len(trace.scores) - 1)
    return ", ".join(f"{place * steps:.0f}: {trace.scores[place]:.1%}" for place in places)


def _finding(number: int, finding: Finding, explained: set[Suggestion]) -> list[str]:
    """The lines of a finding; effects of suggestions in `explained` are not repeated."""
    where = f" in {finding.layer}" if finding.layer else ""
    numbers = ", ".join(f"{name} {value:.3g}" for name, value in finding.numbers.items())
    suggestions = [
        f"suggestion {rank}: {suggestion.what if suggestion in explained else suggestion}"
        for rank, suggestion in enumerate(finding.suggestions, start=1)
    ]
    body = [finding.message, finding.cause, *([f"numbers: {numbers}"] if numbers else []), *suggestions]
    wrap = textwrap.TextWrapper(WIDTH, initial_indent="   ", subsequent_indent="   ")
    return [
        f"{number}. {finding.name}{where} (confidence {finding.confidence:.2f})",
        *(line for part in body for line in wrap.wrap(part)),
    ]


def figure(diagnosis: Diagnosis):
    """A matplotlib figure: signal by layer, gradient by layer, and held-out loss of the probe runs."""
    from matplotlib.figure import Figure

    result = Figure(figsize=(13, 4.2), layout="constrained")
    result.suptitle(f"verdict: {diagnosis.verdict}")
    if not diagnosis.traces:
        found = "\n\n".join(f"{one.name}: {one.message}" for one in diagnosis.findings)
        wrapped = "\n".join(textwrap.fill(line, WIDTH) for line in f"not trained\n\n{found}".split("\n"))
        result.text(0.5, 0.5, wrapped, ha="center", va="center", fontsize=12)
        return result
    left, middle, right = result.subplots(1, 3)
    layers = diagnosis.signals.layers if diagnosis.signals else []
    left.semilogy([max(layer.std_over_images, 1e-12) for layer in layers], ".-", label="std over images")
    left.semilogy(
        [max(1 - layer.correlation, 1e-12) for layer in layers], ".-", label="1 - cosine of two images"
    )
    _by_depth(left, [layer.name for layer in layers], "signal by layer")
    kernels = diagnosis.signals.kernels if diagnosis.signals else []
    middle.semilogy(
        [max(layer.gradient or 0, 1e-12) for layer in kernels], ".-", label="norm of the gradient"
    )
    middle.semilogy([max(layer.ratio or 0, 1e-12) for layer in kernels], ".-", label="gradient / weight")
    _by_depth(middle, [layer.name for layer in kernels], "gradient by layer")
    for trace in sorted(diagnosis.traces, key=lambda trace: trace.rate):
        steps = [
            index * len(trace.losses) / max(1, len(trace.held_out) - 1)
            for index in range(len(trace.held_out))
        ]
        right.plot(steps, trace.held_out, ".-", label=f"learning rate {trace.rate:.0e}")
    right.axhline(diagnosis.chance, color="gray", linestyle="--", label="chance")
    right.set(title="probe: held-out loss", xlabel="step", ylim=(0, 1.6 * diagnosis.chance))
    right.legend(fontsize=7)
    return result


def _by_depth(axis, names: list[str], title: str) -> None:
    ticks = range(0, len(names), max(1, len(names) // 12))
    axis.set_xticks(list(ticks), [names[index] for index in ticks], rotation=60, ha="right", fontsize=7)
    axis.set(title=title)
    axis.legend(fontsize=7)
    axis.grid(alpha=0.3)


def write_report(diagnosis: Diagnosis, directory: Path) -> None:
    """Write diagnosis.txt, diagnosis.png, TensorBoard's `logs` and diagnosis.json.

    Args:
        diagnosis: what to write.
        directory: created if missing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    report = text(diagnosis)
    write_text(directory / "diagnosis.txt", report + "\n")
    picture = to_png(figure(diagnosis), dpi=100)
    write_bytes(directory / "diagnosis.png", picture)
    with tf.summary.create_file_writer(str(directory / "logs")).as_default():
        tf.summary.text("diagnosis", "    " + report.replace("\n", "\n    "), step=0)
        tf.summary.image("diagnosis", as_image(picture), step=0)
    # last: a directory that holds it is taken for a whole diagnosis
    write_record(directory / "diagnosis.json", diagnosis.to_dict())
