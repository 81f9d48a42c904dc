"""HealthMonitor: a callback that watches any `fit`, logs what is wrong, and can stop it."""

import logging
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cnn.diagnosis.checks.inference import inference_findings, loss_of, validation_findings
from keras_cnn.diagnosis.checks.loss_curve import course_findings, overfitting, short_course_findings
from keras_cnn.diagnosis.checks.training_state import batch_norm_findings, state_findings, update_findings
from keras_cnn.diagnosis.findings import Finding, make_finding
from keras_cnn.diagnosis.graph.graph import kernel_layers, kernels_of
from keras_cnn.diagnosis.graph.layer_signals import Signals, measure_signals
from keras_cnn.diagnosis.graph.nonfinite import NonFiniteWatch
from keras_cnn.diagnosis.probe.data import sample_of
from keras_cnn.diagnosis.probe.objective import objective_of
from keras_cnn.files import write_text
from keras_cnn.records import write_record

logger = logging.getLogger(__name__)

MAX_IMAGES = 256
MAX_TIME_SHARE = 0.03  # time for measuring / training time; overhead measured by benchmarks/monitor.py
HISTOGRAM_VALUES = 2**14  # a histogram of a million values would take longer than everything else
LOSS_CHECK_STEPS = 20  # between two checks of the loss curve
MIN_STATISTICS_STEPS = 200  # steps after which moving statistics are checked
FATAL = ("diverged", "stands_at_chance")


class HealthMonitor(keras.callbacks.Callback):
    """Checks gradients, updates, activations, batch normalization and losses during `fit`.

    Each new finding is logged as a warning and kept in `findings`; `reason` holds why a run was stopped. Under a
    distribution strategy the weights of one replica are measured, and all replicas are checked for NaN.

    Args:
        data: training images, as for `diagnose`; at most 256 are measured.
        validation_data: as `data`; images that `fit` validates with, to compare their pixels with the training images'.
        logs: directory for TensorBoard's scalars and histograms by layer; None for none.
        directory: where health.json and health.txt are written at the end; None for none.
        share: maximum time for measuring / training time; measurements are as frequent as it allows.
        stop: whether to end a run whose loss stays at chance; one whose loss is not finite always ends.

    Raises:
        InputError: at the start of `fit`, if the data cannot be used.
    """

    def __init__(
        self,
        data: Any,
        *,
        validation_data: Any = None,
        logs: Path | str | None = None,
        directory: Path | str | None = None,
        share: float = MAX_TIME_SHARE,
        stop: bool = False,
    ):
        super().__init__()
        self._data, self._validation_data = data, validation_data
        self._share, self._stop = share, stop
        self._logs = Path(logs) if logs else None
        self._directory = Path(directory) if directory else None
        self.findings: list[Finding] = []
        self.reason = ""
        self.signals: list[tuple[int, Signals]] = []
        self.spent = 0.0  # seconds

    def set_model(self, model):
        super().set_model(model)
        self._watch = NonFiniteWatch(model)  # must precede the tracing of the training step

    def on_train_begin(self, logs=None):
        self._sample = sample_of(self._data, MAX_IMAGES)
        given = self._validation_data
        self._validation = None if given is None else sample_of(given, MAX_IMAGES)
        self._objective = objective_of(self.model, self._sample)
        self._losses: list[float] = []
        self._history: list[dict] = []
        self._step, self._kernels = 0, None
        self._writer = tf.summary.create_file_writer(str(self._logs)) if self._logs else None
        self._began = time.perf_counter()
        self._measure()
        self.spent = self._cost = time.perf_counter() - self._began

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._seen, self._mean = epoch, 0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        mean, count = float(logs["loss"]), batch + 1
        # logs hold the mean over the epoch so far
        loss = (mean * count - self._mean * self._seen) / max(1, count - self._seen)
        self._step += count - self._seen
        self._mean, self._seen = mean, count
        if not math.isfinite(mean):
            self._diverged(batch)
            return
        self._losses.append(loss)
        started = time.perf_counter()
        if self._kernels is not None:
            self._updates()
        elif self.spent + self._cost < self._share * (started - self._began):
            self._measure()
            self._cost = time.perf_counter() - started
            self._kernels = [
                [tf.identity(kernel.value) for kernel in kernels_of(layer)] for layer in self._trainable()
            ]
        if len(self._losses) % LOSS_CHECK_STEPS == 0:
            self._found(course_findings(self._losses, self._objective.chance))
        self.spent += time.perf_counter() - started

    def on_epoch_end(self, epoch, logs=None):
        self._history.append({name: float(value) for name, value in (logs or {}).items()})
        started = time.perf_counter()
        if all(map(math.isfinite, self._history[-1].values())):
            self._found(self._compared())
        self._found(overfitting(self._history))
        self.spent += time.perf_counter() - started

    def on_train_end(self, logs=None):
        started = time.perf_counter()
        if not any(finding.name == "diverged" for finding in self.findings):
            self._measure()
            self._found(short_course_findings(self._losses, self._objective.chance))
        self.spent += time.perf_counter() - started
        self._watch.close()
        if self._writer:
            self._writer.close()
        if self._directory:
            self._directory.mkdir(parents=True, exist_ok=True)
            record = {"reason": self.reason, "steps": self._step, "seconds_spent": self.spent}
            write_record(
                self._directory / "health.json",
                {**record, "findings": [asdict(one) for one in self.findings]},
            )
            write_text(self._directory / "health.txt", self.summary() + "\n")

    def summary(self) -> str:
        """Steps, time spent, and one line per finding in the order of detection."""
        head = f"{self._step} steps, measured {len(self.signals)} times in {self.spent:.1f} s."
        nothing = "- No findings."
        if self._step < MIN_STATISTICS_STEPS:
            nothing = (
                f"- No findings, but {self._step} steps are too few to tell; from "
                f"{MIN_STATISTICS_STEPS} on it shows."
            )
        lines = [f"- {finding}" for finding in self.findings] or [nothing]
        return "\n".join([head, *([f"Stopped: {self.reason}"] if self.reason else []), *lines])

    def _trainable(self) -> list[keras.layers.Layer]:
        return [layer for layer in kernel_layers(self.model) if layer.trainable]

    def _measure(self) -> None:
        on_output = self._histogram if self._writer else None
        signals = measure_signals(self.model, self._sample, self._objective, on_output)
        self.signals.append((self._step, signals))
        self._found(state_findings(signals, self._objective.chance))
        if self._step >= MIN_STATISTICS_STEPS:
            self._found(batch_norm_findings(self.model, self._sample))
        for layer in signals.layers:
            for name in ("mean", "variance", "dead", "saturated", "gradient", "ratio"):
                self._scalar(f"{name}/{layer.name}", getattr(layer, name))

    def _compared(self) -> list[Finding]:
        """Findings on the model in inference mode, and on its validation."""
        found = inference_findings(self.model, self._sample, self._objective)
        losses = [logs["val_loss"] for logs in self._history if "val_loss" in logs]
        if found or not losses:
            return found
        inference = loss_of(self.model, self._sample, self._objective, training=False)
        return validation_findings(losses, inference, self._objective.chance, self._sample, self._validation)

    def _updates(self) -> None:
        """Check norm of the last update / norm of the kernels for each layer."""
        ratios = {}
        for layer, before in zip(self._trainable(), self._kernels or [], strict=True):
            changes = [kernel.value - old for kernel, old in zip(kernels_of(layer), before, strict=True)]
            size = tf.maximum(tf.linalg.global_norm(before), 1e-12)
            ratios[layer.name] = float(tf.linalg.global_norm(changes) / size)
            self._scalar(f"update/{layer.name}", ratios[layer.name])
        self._kernels = None
        self._found(update_findings(ratios, self._step))

    def _diverged(self, batch: int) -> None:
        layer = self._watch.first()
        broken = [
            one
            for one in self._trainable()
            if not all(np.isfinite(kernel.numpy()).all() for kernel in kernels_of(one))
        ]
        where = f"first in {layer}" if layer else "in the loss itself"
        largest = max((signal.gradient or 0.0 for signal in self.signals[-1][1].kernels), default=0.0)
        self._found(
            [
                make_finding(
                    "diverged",
                    f"The loss is not finite in epoch {self._epoch + 1}, batch {batch + 1}: NaN or infinite values "
                    f"appeared {where}. Weights of {len(broken)} layers are not finite.",
                    1.0,
                    layer,
                    {"epoch": self._epoch + 1, "batch": batch + 1, "largest_gradient_before": largest},
                )
            ]
        )
        self.model.stop_training = True  # all further losses are NaN

    def _found(self, findings: list[Finding]) -> None:
        for finding in findings:
            if all(finding.name != one.name for one in self.findings):
                self.findings.append(finding)
                logger.warning(f"health: step {self._step}: {finding}")
                if finding.name in FATAL and (self._stop or finding.name == "diverged"):
                    self.reason, self.model.stop_training = f"{finding.name}: {finding.message}", True

    def _scalar(self, name: str, value: float | None) -> None:
        if self._writer and value is not None:
            with self._writer.as_default():
                tf.summary.scalar(f"health/{name}", value, step=self._step)

    def _histogram(self, name: str, values) -> None:
        if self._writer:
            flat = tf.reshape(values, [-1])
            stride = (
                len(flat) // HISTOGRAM_VALUES | 1
            )  # odd, so that it does not select the same channels only
            with self._writer.as_default():
                tf.summary.histogram(f"health/{name}", flat[::stride], step=self._step)
