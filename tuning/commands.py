"""What the subcommands of keras-cnn do with their parsed options."""

import errno
import shlex
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from keras_cnn.directories import claim, data_stem, held
from keras_cnn.errors import InputError
from keras_cnn.function_import import is_function_name
from keras_cnn.parser import read_settings, start_tensorflow, wanted_directory
from keras_cnn.training.run_directory import RUN
from tuning.config import STUDY, StudyConfig, read_study
from tuning.executors.base import Executor
from tuning.executors.machine import MachineSettings, count_gpus, each_trial, make_executor
from tuning.keras_tuner_import import import_tuner
from tuning.objectives import split_objectives
from tuning.search_settings import SEARCH_EPOCHS, SearchSettings
from tuning.space.searched import fixed_settings
from tuning.storage.in_memory import in_memory, resume_command
from tuning.wanted import Wanted

if TYPE_CHECKING:
    from tuning.storage.trials import Row

DEFAULT_ARCHITECTURE = "vgg"


def search(options) -> None:
    started = time.monotonic()
    wanted, machine = _wanted(options), _machine(options)
    gpus = count_gpus(machine)
    devices, threads = each_trial(machine, gpus, options.devices, options.threads, options.tuner)
    # its first worker starts TensorFlow while this process does
    with make_executor(machine, gpus, devices, threads) as executor:
        start_tensorflow()  # which check_names needs
        wanted.check_names()
        stem = f"{data_stem(wanted.base.data)}-{wanted.title}-{wanted.search.tuner}"
        with claim(wanted_directory(options), stem, STUDY) as directory:
            from tuning.start import begin

            download = options.download
            study = begin(
                wanted, directory, executor, gpus=gpus, devices=devices, threads=threads, download=download
            )
            _run(study, executor, started)


def _wanted(options) -> Wanted:
    limits = SearchSettings(**{field.name: options[field.name] for field in fields(SearchSettings)})
    build, named = options.build, options.architecture
    if build is not None and not is_function_name(build):
        raise InputError(
            f"{build!r} is no MODULE:FUNCTION, such as my_nets:build of a function build(hp) in my_nets.py. Names of "
            "architectures go to --architecture; keras-cnn search --help lists all options."
        )
    if build is not None and named is not None:
        raise InputError(f"{build} is searched by itself: leave --architecture {' '.join(named)} out.")
    architectures = (build,) if build else tuple(dict.fromkeys(named or [DEFAULT_ARCHITECTURE]))
    options.architecture = architectures[0]
    options.objective, further = split_objectives(options.objective)
    fixed = {} if build else fixed_settings(options)
    follows = limits.epochs_follow_time(options.epochs)
    options.epochs = SEARCH_EPOCHS if options.epochs is None else options.epochs
    settings = read_settings(options)
    return Wanted(settings, limits, architectures, fixed, bool(build), options.start_with, further, follows)


def resume(options) -> None:
    started = time.monotonic()
    study, machine = read_study(Path(options.directory)), _machine(options)
    limits = {field.name: options.get(field.name) for field in fields(SearchSettings)}
    _refuse_in_memory(study)
    gpus = count_gpus(machine)
    with (
        held(study.directory),
        make_executor(machine, gpus, study.devices, study.threads) as executor,
    ):
        start_tensorflow()
        from keras_cnn.data.dataset import DataFacts
        from tuning.start import at_once, continued

        given = {name: value for name, value in limits.items() if value is not None}
        study = continued(study, given, options.patience)
        facts = DataFacts.from_dict(executor.facts(study.base, download=False))
        study.facts.check_same(facts, str(study.directory))
        print(f"going on with {study.directory}, {at_once(executor)}", flush=True)
        _run(study, executor, started)


def status(options) -> None:
    study = read_study(Path(options.directory))
    import_tuner()
    from tuning.reporting.live import render
    from tuning.reporting.status import status
    from tuning.storage.trials import trials

    Console(soft_wrap=True).print(render(status(study)))
    _print_damage(study, trials(study))


def report(options) -> None:
    if (Path(options.directory) / RUN).exists():
        _report_run(options.directory)
        return
    study = read_study(Path(options.directory))
    import_tuner()
    from tuning.reporting.report import table, write_report
    from tuning.storage.trials import trials

    rows = trials(study)
    print(table(study, rows))
    _print_front(study, rows)
    _print_damage(study, rows)
    try:
        path = write_report(study)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        print(f"note: {study.directory} cannot be written, so that the report is this table alone.")
    else:
        print(f"report: {path}, {path.with_name('report.html')}, {path.with_name('trials.csv')}")


def _report_run(directory: str) -> None:
    """Write the report of a run, or of a trial, anew."""
    start_tensorflow()
    from keras_cnn.training_run import TrainingRun

    print(f"report: {TrainingRun(directory).report()}")


def export(options) -> None:
    study = read_study(Path(options.directory))
    import_tuner()
    if options.refit:
        run, destination = refit(study.directory), Path("saved_models") / study.name
    with make_executor(MachineSettings(workers=1), 0, study.devices, study.threads) as executor:
        if options.refit:
            print(f"SavedModel: {executor.export(run, destination, options.formats)}")
        else:
            _ship(study, executor, options.formats)


def refit(directory: Path) -> Path:
    """Train the best configuration of the study in `directory` on all images; returns the directory of the run."""
    study = read_study(directory)
    _refuse_in_memory(study)
    start_tensorflow()
    from tuning.refit import refit_in_worker

    return refit_in_worker(study)


def _machine(options) -> MachineSettings:
    return MachineSettings(**{field.name: options[field.name] for field in fields(MachineSettings)})


def _refuse_in_memory(study: StudyConfig) -> None:
    """Raise InputError for a study whose function or data only a Python program has."""
    if missing := in_memory(study):
        raise InputError(
            f"{' and '.join(missing)} of {study.directory} were given in Python, and are not stored: continue there, "
            f"{resume_command(study)}."
        )


def _print_damage(study: StudyConfig, rows: "Sequence[Row]") -> None:
    """Name what of the results is damaged; what only reads repairs nothing."""
    from tuning.storage.trials import damage

    for line in damage(study, rows):
        print(f"note: {line}")


def _print_front(study: StudyConfig, rows: "Sequence[Row]") -> None:
    """The Pareto front, of a study with several objectives."""
    from tuning.reporting.pareto import explanation, front_markdown

    if front := front_markdown(study, rows):
        print(f"\nPareto front: {explanation(study)}\n\n{front}")


def _run(study: StudyConfig, executor: Executor, started: float) -> None:
    from tuning.start import run

    run(study, executor, started=started, exports=True)
    _ship(study, executor)


def _ship(study: StudyConfig, executor: Executor, formats: Sequence[str] | None = None) -> None:
    """Export the best trial, write the report, print the summary.

    formats: as `export_run` takes them; None exports nothing that has been exported before.
    """
    from keras_cnn.serving.checksums import find_export
    from keras_cnn.training.evaluate import summary
    from keras_cnn.training.run_directory import TEST, read_test
    from tuning.reporting.report import table, write_report
    from tuning.reporting.ties import ties
    from tuning.reporting.winner import mean_of
    from tuning.storage.trials import best, hyperparameters, run_directory, trials

    winner = best(study)
    run = run_directory(study, winner)
    destination = Path("saved_models") / study.name
    measured = (run / TEST).exists()
    version = find_export(run, destination) if formats is None and measured else None
    version = version or executor.export(run, destination, formats or ())
    test = read_test(run)
    path, rows = write_report(study), trials(study)
    print(f"\n{table(study, rows)}")
    _print_front(study, rows)
    print(f"\nbest trial {winner['trial']}:")
    for name, value in {**hyperparameters(winner), **study.fixed_hyperparameters}.items():
        print(f"  {name}: {value}")
    mean = f", {mean_of(study, winner)}" if winner["interval"] else ""
    print(f"{study.objective}: {winner['score']:.4f}{mean}\n{summary(test)}")
    if tied := ties(study, rows):
        print(tied)
    print(f"report: {path}, {path.with_name('report.html')}")
    print(f"tensorboard --logdir {shlex.quote(str(study.directory / 'logs'))}\nSavedModel: {version}")
