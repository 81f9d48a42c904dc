"""search: from a model's space and data to a study, in one call; also what `keras-cnn search` does."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from keras_cnn.directories import claim, data_stem
from keras_cnn.training.keyword_settings import settings_from
from tuning.config import STUDY
from tuning.executors.machine import MachineSettings, count_gpus, each_trial
from tuning.keras_tuner_import import import_tuner
from tuning.keyword_arguments import fixed_of, limits_of, loaded_data, named_architectures
from tuning.objectives import split_objectives
from tuning.search_settings import SEARCH_EPOCHS
from tuning.study import Study
from tuning.wanted import Wanted

if TYPE_CHECKING:
    import keras_tuner as kt


def search(
    build_or_architectures: "str | Sequence[str] | Callable | kt.HyperModel",
    data: Any,
    *,
    objective: "str | kt.Objective | Sequence[str | kt.Objective] | None" = None,
    trials: int | None = None,
    time: str | None = None,
    tuner: str = "auto",
    epochs: int | None = None,
    directory: str | Path | None = None,
    workers: int | str = "auto",
    gpus_per_trial: int = 1,
    executor: str = "local",
    address: str | None = None,
    devices: int | None = None,
    threads: int | None = None,
    download: bool = False,
    start_with: Sequence[str | Path | Study] = (),
    **settings: Any,
) -> Study:
    """Search for the best model; trials run in worker processes, and the study can be continued after a kill.

    ```python
    study = tuning.search(build, (x, y), trials=20)
    ```

    Args:
        build_or_architectures: a function `build(hp)` of your own, or a KerasTuner `HyperModel`, which returns a model,
            compiled or not; MODULE:FUNCTION of such a function, or of one `(input_shape, classes, **options)`; the
            name of an architecture, or several names, of which the search chooses.
        data: what `keras_cnn.load` returns or takes: arrays (x, y), `"digits"`, ...
        objective: the validation metric that ranks trials; `val_accuracy`, or `val_mean_iou` of masks, by default. Of
            several, `["val_accuracy", "parameters"]`, the first ranks trials, and all make a Pareto front: further
            metrics, `parameters`, `macs`, `latency_ms` and `seconds` of training.
        trials: at most so many.
        time: how long the search may take: `"10m"`. `auto` plans for it; the others begin no trial later.
        tuner: `auto`, `random`, `bayesian`, `hyperband` or `grid`.
        epochs: of each trial; auto and hyperband train bad ones for less. None for 8, or with `auto` and `time` for
            what the time allows.
        directory: where to write the study; None for the first free `runs/DATA-NAME-TUNER-N`.
        workers: number of trials at once; `auto` for one for each GPU, or without a GPU for each processor.
        gpus_per_trial: GPUs of each trial.
        executor: `local`, or `ray` for a cluster.
        address: of a Ray cluster.
        devices: without a GPU, logical devices to split the CPU into, for each trial.
        threads: that each trial computes in.
        download: whether a TensorFlow Datasets set may be fetched from the network.
        start_with: studies, or best.json files of such, whose best configurations are tried first.
        **settings: other fields of `SearchSettings` (`target`, `repeats`, `max_parameters`, ...) and of
            `TrainSettings` (`batch_size`, `augmentation`, `patience`, ...), which are then not searched; of arrays
            also `class_names` and `value_range`, as `load` takes them.

    Returns:
        The study, when it has ended.

    Raises:
        InputError: for what cannot be searched; then nothing is written. Also if trials fail one after the other.
    """
    begun = monotonic()
    machine = MachineSettings(workers, gpus_per_trial, executor, address)
    import_tuner()
    limits = limits_of(settings, tuner=tuner, trials=trials, time=time)
    build, architectures, takes_hyperparameters = named_architectures(build_or_architectures)
    loaded = loaded_data(data, settings)
    first, further = split_objectives(objective)
    given = {"epochs": SEARCH_EPOCHS if epochs is None else epochs, "objective": first, **settings}
    base = settings_from(architectures[0], loaded or data, given)
    wanted = Wanted(
        base,
        limits,
        architectures,
        {} if takes_hyperparameters else fixed_of(settings, base),
        takes_hyperparameters,
        [path.directory / "best.json" if isinstance(path, Study) else path for path in start_with],
        further,
        limits.epochs_follow_time(epochs),
    )
    from tuning.executors.inputs import Inputs
    from tuning.executors.start_workers import check_reachable, started
    from tuning.start import begin, run

    check_reachable(machine, build, loaded)
    gpus = count_gpus(machine)
    wanted.check_names()
    devices, threads = each_trial(machine, gpus, devices, threads, tuner)
    stem = f"{data_stem(base.data)}-{wanted.title}-{tuner}"
    with (
        claim(Path(directory) if directory else None, stem, STUDY) as claimed,
        started(machine, gpus, devices, threads, Inputs(build, loaded)) as running,
    ):
        facts = loaded.facts if loaded else None
        study = begin(
            wanted,
            claimed,
            running,
            gpus=gpus,
            devices=devices,
            threads=threads,
            facts=facts,
            download=download,
        )
        run(study, running, started=begun)
        found = Study(claimed, build, loaded)
        found.report()
    return found
