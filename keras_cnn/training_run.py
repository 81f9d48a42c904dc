"""A run in its directory, as an object: what `keras_cnn.train` returns."""

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cnn.data.dataset import DataFacts, ImageData
from keras_cnn.data.sources import load
from keras_cnn.errors import InputError
from keras_cnn.task import TASKS
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.run_directory import METRICS, TEST, chosen_run, read_finished, read_run, read_test
from keras_cnn.training.tasks import check_has_classes

if TYPE_CHECKING:
    import keras

    from keras_cnn.diagnosis.result import Diagnosis


class TrainingRun:
    """A run of `keras_cnn.train` or `keras-cnn train`, finished or interrupted.

    Everything is read from the directory, so that a run can be opened in another process:
    `TrainingRun("runs/digits-vgg-1")`.

    Args:
        directory: of the run, of a trial, or of a study for its best trial.
        data: what the run was trained on; needed for arrays alone, which no run stores, and only to resume or
            diagnose the run, or to export it in other formats.

    Raises:
        InputError: if the directory holds no run, or `data` are not what it was trained on.
    """

    def __init__(self, directory: str | Path, data: Any = None):
        self._run = read_run(chosen_run(Path(directory)))
        self._data = None if data is None else self._checked(data)

    @property
    def directory(self) -> Path:
        """The directory, with report.html, model.keras, curves.png, confusion_matrix.png, epochs.csv, logs and more."""
        return self._run.directory

    @property
    def settings(self) -> TrainSettings:
        """All settings, with the values that were chosen where none were given."""
        return self._run.settings

    @property
    def facts(self) -> DataFacts:
        """Facts of the data."""
        return self._run.facts

    @property
    def score(self) -> float:
        """The value of `objective` in the best epoch."""
        return read_finished(self.directory)["score"]

    @property
    def objective(self) -> str:
        """The metric that chose the best epoch; by default that of the task, such as val_accuracy."""
        return read_finished(self.directory).get("objective") or TASKS[self.facts.task].objective

    @property
    def best_epoch(self) -> int:
        """Number of the epoch whose weights are kept, from 1."""
        return read_finished(self.directory)["best_epoch"]

    @property
    def history(self) -> dict[str, list[float]]:
        """Metric -> its value in each epoch: loss, accuracy, val_loss, val_accuracy, ..."""
        return read_finished(self.directory)["history"]

    def model(self) -> "keras.Model":
        """The model with the weights of the best epoch, on one device; compiled if it was given so."""
        from keras_cnn.training.make_model import trained_model

        return trained_model(self.settings, self.facts, self.directory)

    def test(self) -> dict:
        """What the best weights reach on the test split, measured once: accuracy with its 95 % interval, loss, ...

        Of multi_label average precision, precision, recall and support of each label; of regression mae, rmse and r2.
        """
        from keras_cnn.training.results import measure_on_test

        return measure_on_test(self._run, lambda: self._loaded().load_test())

    def report(self) -> Path:
        """Write report.html anew, as after a diagnosis or for a run of an older version; returns its path.

        It has curves with the learning rate, time and memory; confusion matrix, precision and recall, calibration, the
        most wrong and the least sure test images; and what `keras-cnn diagnose` and `HealthMonitor` left in the
        directory.
        """
        from keras_cnn.training.results import report_on_test

        read_finished(self.directory)
        return report_on_test(self._run, lambda: self._loaded().load_test())

    def confusion_matrix(self) -> np.ndarray:
        """Test images (pixels, of masks) by true class (rows) and predicted class (columns), int64 (K, K).

        Raises:
            InputError: for multi_label and regression.
        """
        check_has_classes(self.facts, "a confusion matrix")
        return np.array(self.test()["confusion"])

    def export(self, destination: str | Path | None = None, *, formats: Sequence[str] = ()) -> Path:
        """Write a SavedModel and verify it.

        Args:
            destination: folder for numbered versions; None for `saved_models/NAME`.
            formats: further formats: litert, litert_dynamic, litert_int8, onnx.

        Returns:
            The folder of the new version.

        Raises:
            InputError: if the run has not finished, or a format is unknown or not installed.
        """
        from keras_cnn.serving.export import export_run

        destination = Path(destination or Path("saved_models") / self.directory.resolve().name)
        return export_run(self.directory, destination, formats=formats, data=self._data)

    def diagnose(self, *, batch_size: int | None = None) -> "Diagnosis":
        """Diagnose the model with its best weights on its data; see `keras_cnn.diagnose`."""
        from keras_cnn.diagnosis.diagnose import diagnose
        from keras_cnn.diagnosis.model_source import trained_model_and_sample

        return diagnose(*trained_model_and_sample(self._run, self._loaded()), batch_size=batch_size)

    def resume(
        self,
        *,
        epochs: int | None = None,
        data: Any = None,
        devices: int | None = None,
        callbacks: "Iterable[keras.callbacks.Callback]" = (),
    ) -> "TrainingRun":
        """Continue an interrupted run as if it had never stopped, or train a finished one longer.

        Args:
            epochs: a new number of epochs in all; None keeps that of the run.
            data: what the run was trained on, if it was arrays and this object does not hold them.
            devices: as `train` takes it.
            callbacks: more Keras callbacks.

        Returns:
            The same run.

        Raises:
            InputError: if it has finished and `epochs` are no more, or the data are not the same.
        """
        from keras_cnn.training.run import resume_run

        self._data = self._data if data is None else self._checked(data)
        resume_run(self.directory, epochs=epochs, data=self._data, devices=devices, callbacks=callbacks)
        self._run = read_run(self.directory)
        return self

    def _loaded(self) -> ImageData:
        if self._data is None:
            self._data = self._checked(self.settings.data)
        return self._data

    def _checked(self, data: Any) -> ImageData:
        """`data`, loaded as those of the run; InputError if they are others."""
        if not isinstance(data, ImageData):
            arguments = self.settings.load_arguments() | {"data": data}
            if not isinstance(data, str):
                arguments |= {"class_names": self.facts.classes, "value_range": self.facts.value_range}
            data = load(**arguments)
        return self._run.checked(data)

    def _summary(self) -> list[tuple[str, str]]:
        """(name, value) of what a repr shows."""
        epochs = f"{self.settings.epochs} epochs"
        rows = [
            ("directory", str(self.directory)),
            ("model", self.settings.architecture),
            ("data", self.facts.name),
        ]
        if not (self.directory / METRICS).exists():
            return [*rows, ("state", f"not finished, of {epochs}: continue with .resume()")]
        try:
            rows.append((self.objective, f"{self.score:.4f} (epoch {self.best_epoch} of {epochs})"))
            if (self.directory / TEST).exists():
                test, score = read_test(self.directory), TASKS[self.facts.task].score
                low, high = test[f"{score}_interval"]
                rows.append(
                    (
                        f"test {score}",
                        f"{test[score]:.4f} ({low:.4f} to {high:.4f}, {test['images']:,} images)",
                    )
                )
        except InputError as error:  # a repr shows damage, and raises nothing
            rows.append(("state", str(error)))
        return rows

    def __repr__(self) -> str:
        return "\n".join(["TrainingRun", *(f"  {name}: {value}" for name, value in self._summary())])

    def _repr_html_(self) -> str:
        from keras_cnn.diagnosis.result import html_table
        from keras_cnn.training.results import CURVES

        curves = self.directory / CURVES
        content = base64.b64encode(curves.read_bytes()).decode() if curves.exists() else ""
        image = (
            f'<img alt="losses and scores by epoch" src="data:image/png;base64,{content}">' if content else ""
        )
        return html_table("TrainingRun", self._summary()) + image
