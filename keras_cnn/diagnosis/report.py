"""A diagnosis as text, as pictures, as JSON, and in TensorBoard."""

import math
import textwrap
from pathlib import Path

import tensorflow as tf

from keras_cnn.diagnosis.findings import Finding
from keras_cnn.diagnosis.probe.decision import CONDITIONAL, DEAD, HEALTHY, reached
from keras_cnn.diagnosis.result import Diagnosis
from keras_cnn.diagnosis.suggestions import Cure
from keras_cnn.files import write_file, write_versioned
from keras_cnn.training.plots import as_image

WIDTH = 100
MEANING = {
    HEALTHY: "it trains at its rate of {rate:.1e}",
    CONDITIONAL: "not at its rate of {rate:.1e}, but at {rates}",
    DEAD: "at its own of {rate:.1e}, and at {others} more",
}


def text(given: Diagnosis) -> str:
    """The verdict, what was measured, and each finding with its numbers, cause and cures; for a terminal."""
    others = max(0, len(given.traces) - 1)
    meaning = MEANING[given.verdict].format(
        rate=given.rate, rates=", ".join(f"{rate:.1e}" for rate in given.rates), others=others
    )
    lines = [f"verdict: {given.verdict} ({meaning})"]
    if given.signals:
        signals = given.signals
        lines.append(
            f"before training: loss {signals.loss:.3f} (chance {given.chance:.3f}), logits differ from image to image "
            f"by {signals.spread:.1e}"
        )
    lines += _probes(given)
    lines.append("cost: " + ", ".join(f"{level} {seconds:.1f} s" for level, seconds in given.seconds.items()))
    known: set[Cure] = set()
    for number, finding in enumerate(given.findings, start=1):
        lines += ["", *_told(number, finding, known)]
        known.update(finding.cures)
    if not given.findings:
        lines += ["", "Nothing was found against it."]
    return "\n".join(lines)


def _probes(given: Diagnosis) -> list[str]:
    """A table of the training steps. told: of what there is to tell the classes of images held out apart."""
    rows = [
        f"{len(trace.losses):5}  {trace.rate:7.1e}  {trace.held_out[0]:8.3f} -> {trace.held_out[-1]:8.3f}  "
        f"{trace.spreads[0]:7.1e} -> {trace.spreads[-1]:7.1e}  {reached(trace):6.1%}"
        for trace in given.traces
    ]
    head = f"steps  {'rate':>7}  {'loss, held out':>20}  {'logits differ by':>18}  {'told':>6}"
    asked = f"a net that learns tells {given.asked:.1%} or more"
    if not math.isnan(given.linear):
        asked += f"; a linear classifier of the images at 8x8 tells {given.linear:.1%}"
    return [head, *rows, asked] if rows else []


def _told(number: int, finding: Finding, known: set[Cure]) -> list[str]:
    """known: cures of which it has been told what to expect."""
    where = f" in {finding.layer}" if finding.layer else ""
    numbers = ", ".join(f"{name} {value:.3g}" for name, value in finding.numbers.items())
    cures = [
        f"cure {rank}: {cure.what if cure in known else cure}"
        for rank, cure in enumerate(finding.cures, start=1)
    ]
    body = [finding.symptom, finding.cause, *([f"numbers: {numbers}"] if numbers else []), *cures]
    wrap = textwrap.TextWrapper(WIDTH, initial_indent="   ", subsequent_indent="   ")
    return [
        f"{number}. {finding.name}{where} (confidence {finding.confidence:.2f})",
        *(line for part in body for line in wrap.wrap(part)),
    ]


def figure(given: Diagnosis):
    """Signal by depth, gradient by depth, and the loss of the probe at each rate."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(13, 4.2), layout="constrained")
    left, middle, right = drawn.subplots(1, 3)
    layers = given.signals.layers if given.signals else []
    left.semilogy(
        [max(layer.spread, 1e-12) for layer in layers], ".-", label="difference between images (sd)"
    )
    left.semilogy(
        [max(1 - layer.correlation, 1e-12) for layer in layers], ".-", label="1 - cosine of two images"
    )
    _by_depth(left, [layer.name for layer in layers], "signal, forwards")
    kernels = given.signals.kernels if given.signals else []
    middle.semilogy(
        [max(layer.gradient or 0, 1e-12) for layer in kernels], ".-", label="norm of the gradient"
    )
    middle.semilogy([max(layer.ratio or 0, 1e-12) for layer in kernels], ".-", label="gradient / weight")
    _by_depth(middle, [layer.name for layer in kernels], "gradient, backwards")
    for trace in sorted(given.traces, key=lambda trace: trace.rate):
        steps = [
            index * len(trace.losses) / max(1, len(trace.held_out) - 1)
            for index in range(len(trace.held_out))
        ]
        right.plot(steps, trace.held_out, ".-", label=f"rate {trace.rate:.0e}")
    right.axhline(given.chance, color="gray", linestyle="--", label="chance")
    right.set(title="probe: loss of images held out", xlabel="step", ylim=(0, 1.6 * given.chance))
    right.legend(fontsize=7)
    drawn.suptitle(f"verdict: {given.verdict}")
    return drawn


def _by_depth(axis, names: list[str], title: str) -> None:
    shown = range(0, len(names), max(1, len(names) // 12))
    axis.set_xticks(list(shown), [names[index] for index in shown], rotation=60, ha="right", fontsize=7)
    axis.set(title=title)
    axis.legend(fontsize=7)
    axis.grid(alpha=0.3)


def write_report(given: Diagnosis, directory: Path) -> None:
    """diagnosis.json, diagnosis.txt, diagnosis.png and TensorBoard's `logs` in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    write_versioned(directory / "diagnosis.json", given.to_dict())
    write_file(
        directory / "diagnosis.txt", lambda temporary_path: temporary_path.write_text(text(given) + "\n")
    )
    drawn = figure(given)
    write_file(
        directory / "diagnosis.png",
        lambda temporary_path: drawn.savefig(temporary_path, format="png", dpi=100),
    )
    with tf.summary.create_file_writer(str(directory / "logs")).as_default():
        tf.summary.text("diagnosis", "    " + text(given).replace("\n", "\n    "), step=0)
        tf.summary.image("diagnosis", as_image(drawn), step=0)
