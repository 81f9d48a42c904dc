"""python -m tuning search | resume | status | report | export: many models, their report and the best of them.

Thin: it parses, calls, prints. TensorFlow is imported when a command needs it, not for `--help`.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keras_cnn.command import (
    Parser,
    add_formats,
    add_machine,
    add_settings,
    data_stem,
    new_directory,
    new_parser,
    read_settings,
    run_command,
)
from keras_cnn.errors import InputError
from keras_cnn.quiet import import_tensorflow
from tuning.lock import coordinating
from tuning.settings import SearchSettings, Study, read_study

if TYPE_CHECKING:
    from tuning.executors.local import LocalExecutor

SEARCH_EPOCHS = 8
CHANGEABLE = [
    field.name for field in fields(SearchSettings) if field.name != "tuner"
]  # of a study, on resume


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    commands = {"search": _search, "resume": _resume, "status": _status, "report": _report, "export": _export}
    return run_command(lambda: commands[options.subcommand](options[options.subcommand]))


def _parser() -> Parser:
    from tuning.searched import SEARCHED

    parser = Parser(prog="python -m tuning", description="Search for the best convolutional network.")
    commands = parser.add_subcommands()
    search = new_parser("Search an architecture's space; report, measure and export the best trial.")
    add_settings(search, SEARCHED, skip=["architecture"])
    search.add_argument(
        "--architecture",
        nargs="+",
        default=["vgg"],
        help="name of an architecture; of several, the search chooses",
    )
    search.add_class_arguments(SearchSettings)
    add_machine(search)
    search.add_argument(
        "--directory", help="where to write the study (default: runs/DATA-ARCHITECTURE-TUNER-N)"
    )
    search.add_argument(
        "--start_with",
        nargs="+",
        default=[],
        metavar="FILE",
        help="points to try first, as in a study's best.json",
    )
    search.set_defaults({"epochs": SEARCH_EPOCHS})
    commands.add_subcommand("search", search, help="run a new search")
    for name, text in (
        ("resume", "Continue an interrupted search."),
        ("status", "Tell how far a search is, also while it runs."),
        ("report", "Write trials.csv and report.md, and print the table of trials."),
        ("export", "Measure the best trial on test, once, and export it."),
    ):
        command = new_parser(text)
        command.add_argument("directory", help="directory of the study")
        if name == "resume":
            command.add_class_arguments(SearchSettings, skip={"tuner"})
        if name == "export":
            add_formats(command)
        commands.add_subcommand(name, command, help=text)
    return parser


def _search(options) -> None:
    from tuning.searched import given_settings

    search = SearchSettings(**{field.name: options[field.name] for field in fields(SearchSettings)})
    architectures = _architectures(options)
    options.architecture = architectures[0]
    base = read_settings(options)
    names = "+".join(architectures)
    directory = new_directory(options.directory, f"{data_stem(base.data)}-{names}-{search.tuner}")
    gpus = _import_tensorflow()
    from keras_cnn.data.sources import load
    from tuning.executors.local import LocalExecutor
    from tuning.search import start_study

    for architecture in architectures:
        replace(base, architecture=architecture).check_names()
    facts = load(**base.load_arguments(), download=options.download).facts
    base = base.resolved(facts)
    for note in facts.notes:
        print(f"note: {note}", flush=True)
    study = Study(
        directory,
        search,
        base,
        given_settings(options),
        facts,
        devices=options.devices,
        threads=options.threads,
        wide=gpus > 0,
        architectures=architectures,
    )
    if options.start_with:
        study = replace(study, first_points=_first_points(study, options.start_with))
    with LocalExecutor(study.devices, study.threads) as executor:
        start_study(study, executor)
        print(f"{search.tuner} search of {names} on {base.data}; study: {directory}", flush=True)
        _run(study, executor)


def _first_points(study: Study, files: list[str]) -> tuple[dict, ...]:
    from tuning.first_points import read_points
    from tuning.oracles import declare_space

    if study.search.tuner == "grid":
        raise InputError("--start_with: a grid has its own order. Use random, bayesian or hyperband.")
    return read_points([Path(file) for file in files], declare_space(study))


def _architectures(options) -> tuple[str, ...]:
    """Those to choose from, each once; options of their own can only be given to a single one."""
    names = tuple(dict.fromkeys(options.architecture))
    if len(names) > 1 and options.options:
        given = ", ".join(f"--options.{name}" for name in options.options)
        raise InputError(
            f"{given} cannot be given for several architectures ({', '.join(names)}): search one, or drop it."
        )
    return names


def _resume(options) -> None:
    study = read_study(Path(options.directory))
    changed = {name: options[name] for name in CHANGEABLE if options[name] is not None}
    if changed:
        study = replace(study, search=replace(study.search, **changed))
        with coordinating(study.directory):
            study.write()
    _import_tensorflow()
    from tuning.executors.local import LocalExecutor

    with LocalExecutor(study.devices, study.threads) as executor:
        _run(study, executor)


def _status(options) -> None:
    study = read_study(Path(options.directory))
    _import_tensorflow()
    from tuning.status import status

    print(status(study))


def _report(options) -> None:
    study = read_study(Path(options.directory))
    _import_tensorflow()
    from tuning import report

    path = report.write_report(study)
    print(report.table(study, report.trials(study)))
    print(f"report: {path}, {path.with_name('trials.csv')}")


def _export(options) -> None:
    study = read_study(Path(options.directory))
    _import_tensorflow()
    _ship(study, options.formats)


def _run(study: Study, executor: "LocalExecutor") -> None:
    from tuning.progress import Progress
    from tuning.search import run_search

    try:
        with coordinating(study.directory):
            run_search(study, executor, Progress(lambda line: print(line, flush=True)))
    except KeyboardInterrupt:
        print(f"The study stays usable: python -m tuning resume {study.directory}", flush=True)
        raise
    _ship(study)


def _ship(study: Study, formats: Sequence[str] = ()) -> None:
    """Export the best trial, write the report, print what a user wants to know at the end."""
    from keras_cnn.files import read_json
    from keras_cnn.runs import TEST
    from keras_cnn.serving.export import export_run
    from keras_cnn.training.evaluate import summary
    from tuning import report

    winner = report.best(study)
    trial = study.trial_directory(winner["trial"])
    destination = Path("saved_models") / study.name
    version = export_run(trial, destination, formats=formats, say=lambda line: print(line, flush=True))
    test = read_json(trial / TEST)
    path = report.write_report(study)
    print(f"\n{report.table(study, report.trials(study))}\n\nbest trial {winner['trial']}:")
    for name, value in {**report.hyperparameters(winner), **study.given}.items():
        print(f"  {name}: {value}")
    print(f"{study.objective}: {winner['score']:.4f}\n{summary(test)}")
    print(f"report: {path}\ntensorboard --logdir {study.directory}/logs\nSavedModel: {version}")


def _import_tensorflow() -> int:
    """In the coordinator, which leaves the GPUs to the workers; returns how many there are."""
    import_tensorflow()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    tf.config.set_visible_devices([], "GPU")
    return len(gpus)
