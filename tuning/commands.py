"""What the subcommands of keras-cnn do with their parsed options."""

import errno
import shlex
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from keras_cnn.directories import claim, data_stem, held
from keras_cnn.errors import InputError
from keras_cnn.function_import import is_function_name
from keras_cnn.parser import read_settings, wanted_directory
from keras_cnn.provenance import changes
from tuning.config import STUDY, STUDY_COPY, SearchSettings, StudyConfig, read_study
from tuning.executors.base import Executor
from tuning.executors.machine import MachineSettings, count_gpus, each_trial, import_tuner, make_executor
from tuning.space.searched import fixed_settings

if TYPE_CHECKING:
    from tuning.storage.trials import Row


def search(options) -> None:
    limits = SearchSettings(**{field.name: options[field.name] for field in fields(SearchSettings)})
    machine, architectures = _machine(options), _architectures(options)
    options.architecture = architectures[0]
    base = read_settings(options)
    names = "+".join(map(_stem, architectures))
    gpus = count_gpus(machine)  # imports TensorFlow quietly, which check_names needs
    for architecture in architectures:
        replace(base, architecture=architecture).check_names()
    devices, threads = each_trial(machine, gpus, options.devices, options.threads)
    with (
        claim(
            wanted_directory(options), f"{data_stem(base.data)}-{names}-{limits.tuner}", STUDY
        ) as directory,
        make_executor(machine, gpus, devices, threads) as executor,
    ):
        from keras_cnn.data.dataset import DataFacts
        from keras_cnn.training.batch_size import searched_note
        from tuning.search import start_study

        print(f"a worker reads {base.data} and checks that {names} can be trained on it", flush=True)
        facts = DataFacts.from_dict(executor.facts(base, options.download))
        for note in facts.notes:
            print(f"note: {note}", flush=True)
        study = StudyConfig(
            directory,
            limits,
            base.resolved(facts, devices or 1),
            fixed_settings(options),
            facts,
            devices=devices,
            threads=threads,
            use_gpu_widths=gpus > 0,
            architectures=architectures,
        )
        if "batch_size" not in study.fixed_hyperparameters:
            for note in searched_note(study.batch_sizes, study.model_input_info):
                print(f"note: {note}", flush=True)
        if options.start_with:
            study = replace(study, initial_configurations=_initial_configurations(study, options.start_with))
        start_study(study, executor)
        print(
            f"{limits.tuner} search of {names} on {base.data}, {_at_once(executor)}; study: {directory}",
            flush=True,
        )
        _run(study, executor)


def resume(options) -> None:
    from keras_cnn.data.dataset import DataFacts

    study, machine = read_study(Path(options.directory)), _machine(options)
    changed = {field.name: options.get(field.name) for field in fields(SearchSettings)}
    changed = {name: value for name, value in changed.items() if value is not None}
    gpus = count_gpus(machine)
    with held(study.directory):
        _repair(study)
        if changed:
            study = replace(study, search=replace(study.search, **changed))
        if options.patience is not None:
            study = replace(study, base=replace(study.base, patience=options.patience))
        study.write()
        with make_executor(machine, gpus, study.devices, study.threads) as executor:
            facts = DataFacts.from_dict(executor.facts(study.base, download=False))
            study.facts.check_same(facts, str(study.directory))
            print(f"going on with {study.directory}, {_at_once(executor)}", flush=True)
            _run(study, executor)


def status(options) -> None:
    study = read_study(Path(options.directory))
    import_tuner()
    from tuning.reporting.live import render
    from tuning.reporting.status import status
    from tuning.storage.trials import trials

    Console(soft_wrap=True).print(render(status(study)))
    _print_damage(study, trials(study))


def report(options) -> None:
    study = read_study(Path(options.directory))
    import_tuner()
    from tuning.reporting.report import table, write_report
    from tuning.storage.trials import trials

    rows = trials(study)
    print(table(study, rows))
    _print_damage(study, rows)
    try:
        path = write_report(study)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        print(f"note: {study.directory} cannot be written, so that the report is this table alone.")
    else:
        print(f"report: {path}, {path.with_name('report.html')}, {path.with_name('trials.csv')}")


def export(options) -> None:
    study = read_study(Path(options.directory))
    import_tuner()
    with make_executor(MachineSettings(workers=1), 0, study.devices, study.threads) as executor:
        _ship(study, executor, options.formats)


def _machine(options) -> MachineSettings:
    return MachineSettings(**{field.name: options[field.name] for field in fields(MachineSettings)})


def _at_once(executor: Executor) -> str:
    return f"{executor.slots} trials at once" if executor.slots > 1 else "one trial at a time"


def _repair(study: StudyConfig) -> None:
    """Before a study continues: say what of it is damaged, and what has changed since it was made."""
    import_tuner()
    from tuning.storage.recovery import repair_damaged_files

    for note in changes(study.directory / STUDY, study.directory / STUDY_COPY):
        print(note, flush=True)
    for note in repair_damaged_files(study):
        print(note, flush=True)


def _print_damage(study: StudyConfig, rows: "Sequence[Row]") -> None:
    """Name what of the results is damaged; what only reads repairs nothing."""
    from tuning.storage.trials import damage

    for line in damage(study, rows):
        print(f"note: {line}")


def _initial_configurations(study: StudyConfig, files: list[str]) -> tuple[dict, ...]:
    from tuning.oracles.base import declare_space
    from tuning.space.warm_start import read_configurations

    if study.search.tuner == "grid":
        raise InputError("--start_with: a grid has its own order. Use random, bayesian or hyperband.")
    return read_configurations([Path(file) for file in files], declare_space(study))


def _architectures(options) -> tuple[str, ...]:
    """Those to choose from, each once; options of their own can only be given to a single one."""
    names = tuple(dict.fromkeys(options.architecture))
    if len(names) > 1 and options.options:
        given = ", ".join(f"--options.{name}" for name in options.options)
        raise InputError(
            f"{given} cannot be given for several architectures ({', '.join(names)}): search one, or drop it."
        )
    own = [name for name in names if is_function_name(name)]
    if own and len(names) > 1:
        raise InputError(
            f"{own[0]} has no settings of layers, which the search would choose for the others: search it alone."
        )
    return names


def _stem(architecture: str) -> str:
    """An architecture as part of a directory's name."""
    return architecture.rpartition(":")[2]


def _run(study: StudyConfig, executor: Executor) -> None:
    from tuning.reporting.progress import Progress
    from tuning.search import run_search

    progress = Progress(lambda line: print(line, flush=True), study.title, study.objective)
    try:
        run_search(study, executor, progress)
    except KeyboardInterrupt:
        print(f"To continue: keras-cnn resume {shlex.quote(str(study.directory))}", flush=True)
        raise
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
    from tuning.storage.trials import best, hyperparameters, run_directory, trials

    winner = best(study)
    run = run_directory(study, winner)
    destination = Path("saved_models") / study.name
    measured = (run / TEST).exists()
    version = find_export(run, destination) if formats is None and measured else None
    version = version or executor.export(run, destination, formats or ())
    test = read_test(run)
    path, rows = write_report(study), trials(study)
    print(f"\n{table(study, rows)}\n\nbest trial {winner['trial']}:")
    for name, value in {**hyperparameters(winner), **study.fixed_hyperparameters}.items():
        print(f"  {name}: {value}")
    print(f"{study.objective}: {winner['score']:.4f}\n{summary(test)}")
    if tied := ties(study, rows):
        print(tied)
    print(f"report: {path}, {path.with_name('report.html')}")
    print(f"tensorboard --logdir {shlex.quote(str(study.directory / 'logs'))}\nSavedModel: {version}")
