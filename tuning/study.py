"""A search in its directory, as an object: what `tuning.search` returns."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cnn.data.dataset import ImageData
from keras_cnn.diagnosis.result import html_table
from keras_cnn.directories import held
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.training.config import TrainSettings
from keras_cnn.training_run import TrainingRun
from tuning.best_trial import BestTrial
from tuning.config import read_study
from tuning.executors.machine import MachineSettings, count_gpus
from tuning.keras_tuner_import import import_tuner
from tuning.keyword_arguments import build_function, loaded_data
from tuning.reporting.grid import short
from tuning.search_settings import FIXED, SearchSettings
from tuning.storage.in_memory import in_memory

if TYPE_CHECKING:
    import keras
    import pandas


class Study:
    """A search of `tuning.search` or `keras-cnn search`, ended, interrupted or still running elsewhere.

    Everything is read from the directory, so that a study can be opened in another process:
    `Study("runs/digits-vgg-random-1")`.

    Args:
        directory: of the study.
        build: the function build(hp) that it searches, if that was given as an object; needed to resume alone.
        data: what it trains on, if it was arrays; needed to resume, test and export alone.

    Raises:
        InputError: if the directory holds no study.
    """

    def __init__(self, directory: str | Path, build: Any = None, data: Any = None):
        import_tuner()
        self._config = read_study(Path(directory))
        self._build: Callable | None = build_function(build)
        self._data = data

    @property
    def directory(self) -> Path:
        """The directory, with study.json, the trials, logs and the report."""
        return self._config.directory

    @property
    def objective(self) -> str:
        """The metric that ranks trials."""
        return self._config.objective

    @property
    def best(self) -> BestTrial:
        """The best trial so far; InputError if none has completed."""
        from tuning.storage.trials import best, hyperparameters, run_directory

        row = best(self._config)
        directory = run_directory(self._config, row)
        interval = tuple(row["interval"]) if row["interval"] else None
        values = hyperparameters(row)
        return BestTrial(row["trial"], row["score"], self.objective, values, directory, interval)

    def best_run(self) -> TrainingRun:
        """The run of the best trial, with `model()`, `history`, `test()`, `confusion_matrix()` and `diagnose()`."""
        return TrainingRun(self.best.directory, self._data)

    def best_model(self) -> "keras.Model":
        """The model of the best trial with the weights of its best epoch; compiled if `build` compiles it."""
        return self.best_run().model()

    def trials(self) -> "pandas.DataFrame":
        """A row for each trial, best first: state, score, epochs, seconds, parameters, ... and hyperparameters."""
        from tuning.reporting.frame import to_frame
        from tuning.storage.trials import flat, trials

        return to_frame(flat(trials(self._config)), "trials")

    def pareto(self) -> "pandas.DataFrame":
        """The completed trials that no other equals in all objectives and surpasses in one, by the first objective.

        Columns: `trial`, a column for each objective, and the hyperparameters. Raises InputError for a study with one
        objective.
        """
        from tuning.reporting.frame import to_frame
        from tuning.reporting.pareto import front_of
        from tuning.storage.trials import hyperparameters, objective_values, trials

        if not self._config.further_objectives:
            raise InputError(
                f"{self.directory} has one objective, {self.objective}: a Pareto front takes several, "
                "tuning.search(..., objective=['val_accuracy', 'parameters'])."
            )
        front = front_of(trials(self._config))
        rows = [
            {"trial": row["trial"], **objective_values(self._config, row), **hyperparameters(row)}
            for row in front
        ]
        return to_frame(rows, "pareto")

    def report(self) -> Path:
        """Write report.html, report.md and trials.csv; returns the path of report.html."""
        from tuning.reporting.report import write_report

        return write_report(self._config).with_name("report.html")

    def export(
        self,
        destination: str | Path | None = None,
        *,
        formats: Sequence[str] = (),
        refit: bool = False,
    ) -> Path:
        """Write the best model as a SavedModel and verify it; `TrainingRun.export` says more.

        Args:
            destination: folder for numbered versions; None for `saved_models/NAME`.
            formats: further formats.
            refit: train the best configuration anew on the training and validation images together, for the mean of
                its best epochs, and export that; this very model is not validated. Otherwise the model of the best
                run, which was scored; of folds, the best one's.

        Returns:
            The folder of the new version.

        Raises:
            InputError: if no trial has completed, or data or function are needed and not stored.
        """
        destination = destination or Path("saved_models") / self._config.name
        run = TrainingRun(self._refit(), self._data) if refit else self.best_run()
        return run.export(destination, formats=formats)

    def _refit(self) -> Path:
        from tuning.executors.inputs import Inputs
        from tuning.refit import refit_in_worker

        self._check_stored()
        return refit_in_worker(self._config, Inputs(self._build, self._loaded()))

    def resume(
        self,
        *,
        trials: int | None = None,
        time: str | None = None,
        patience: int | None = None,
        build: Any = None,
        data: Any = None,
        workers: int | str = "auto",
        executor: str = "local",
        address: str | None = None,
        **limits: Any,
    ) -> "Study":
        """Continue a search that was interrupted, or one that has ended, within new limits.

        Args:
            trials: instead of the study's.
            time: instead of the study's, all its sessions together: `"2h"`.
            patience: instead of the study's, for trials that are to begin.
            build, data: as the constructor takes them.
            workers: number of trials at once.
            executor: `local`, or `ray`.
            address: of a Ray cluster.
            **limits: other fields of `SearchSettings`: `target`, `trial_timeout`, `disk`.

        Returns:
            The same study.

        Raises:
            InputError: for what would make old and new trials incomparable, such as `epochs`; for other data.
        """
        from tuning.executors.inputs import Inputs
        from tuning.executors.start_workers import check_reachable, started
        from tuning.start import continued, run

        machine = MachineSettings(workers, 1, executor, address)
        self._build = build_function(build) or self._build
        self._data = self._data if data is None else data
        self._check_resume(limits)
        check_reachable(machine, self._build, self._data)
        changed = {"trials": trials, "time": time, **limits}
        gpus, config, inputs = count_gpus(machine), self._config, Inputs(self._build, self._loaded())
        with held(config.directory):
            config = continued(config, {k: v for k, v in changed.items() if v is not None}, patience)
            with started(machine, gpus, config.devices, config.threads, inputs) as running:
                run(config, running)
        self._config = config
        self.report()
        return self

    def _check_resume(self, limits: dict) -> None:
        known = {field.name for field in fields(SearchSettings)} - {*FIXED}
        for name in limits:
            if name in FIXED or name in TrainSettings.__dataclass_fields__:
                raise InputError(
                    f"{name} of a study cannot be changed, or its trials could not be compared. Start a new search "
                    "with it: tuning.search(..., start_with=[study]) tries the best configuration first."
                )
            if name not in known:
                raise unknown_name("limit", name, known)
        self._check_stored()

    def _check_stored(self) -> None:
        """Raise InputError if workers would lack the function or the data, which are in no file."""
        given = {"build": self._build, "data": self._data}
        if missing := [name for name in in_memory(self._config) if given[name] is None]:
            raise InputError(
                f"{' and '.join(missing)} of {self.directory} are not stored: give them, "
                f"tuning.Study({', '.join([repr(str(self.directory)), *missing])})."
            )

    def _loaded(self) -> ImageData | None:
        """The data that are in memory, loaded as those of the study; None if workers load them by name."""
        if self._data is None or isinstance(self._data, str):
            return None
        config = self._config
        arguments = {name: value for name, value in config.base.load_arguments().items() if name != "data"}
        arguments |= {"class_names": config.facts.classes, "value_range": config.facts.value_range}
        self._data = loaded_data(self._data, arguments)
        config.facts.check_same(self._data.facts, config.directory)
        return self._data

    def _summary(self) -> list[tuple[str, str]]:
        """(name, value) of what a repr shows."""
        from tuning.storage.trials import hyperparameters, trials

        rows = trials(self._config)
        completed = [row for row in rows if row["score"] is not None]
        shown = [
            ("directory", str(self.directory)),
            ("search", self._config.title),
            ("trials", f"{len(rows)}, {len(completed)} completed"),
        ]
        if not completed:
            return shown
        values = ", ".join(f"{name} {short(value)}" for name, value in hyperparameters(completed[0]).items())
        best = f"{completed[0]['score']:.4f} (trial {completed[0]['trial']})"
        return [*shown, (f"best {self.objective}", best), ("hyperparameters", values)]

    def __repr__(self) -> str:
        return "\n".join(["Study", *(f"  {name}: {value}" for name, value in self._summary())])

    def _repr_html_(self) -> str:
        return html_table("Study", self._summary())
