"""python -m keras_cnn describe | data | train | export | predict | ...: one data set, one run, one artefact.

Thin: it parses, calls, prints. TensorFlow is imported when a command needs it, not for `--help`.
"""

from pathlib import Path

from keras_cnn.app_command import app_parser, run_app
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
from keras_cnn.describe_command import describe_parser, run_describe
from keras_cnn.diagnose_command import diagnose_parser, repair_parser, run_diagnose, run_repair
from keras_cnn.errors import InputError
from keras_cnn.predict_command import image_files, predict_parser, run_predict
from keras_cnn.quiet import import_tensorflow
from keras_cnn.training.settings import TrainSettings


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    commands = {
        "describe": run_describe,
        "data": _data,
        "lr-find": _lr_find,
        "train": _train,
        "export": _export,
        "diagnose": run_diagnose,
        "repair": run_repair,
        "explain": _explain,
        "predict": run_predict,
        "app": run_app,
    }
    return run_command(lambda: commands[options.subcommand](options[options.subcommand]))


def _parser() -> Parser:
    parser = Parser(
        prog="python -m keras_cnn", description="One convolutional network: feed it, train it, ship it."
    )
    commands = parser.add_subcommands()
    commands.add_subcommand("describe", describe_parser(), help="layers and sizes of an architecture")
    data = new_parser("Print the facts of a data set.")
    data.add_argument("name", help="digits, folder:PATH or the name of a TFDS image classification set")
    data.add_argument("--image_size", nargs=2, type=int, metavar=("H", "W"), help="resize every image")
    data.add_argument("--validation_split", type=float, default=0.1, help="part of train held out, in (0, 1)")
    data.add_argument("--split_seed", type=int, default=0, help="which images are held out")
    data.add_argument("--json", action="store_true", help="print JSON")
    data.add_argument(
        "--download", action="store_true", help="fetch it from the network if it is not on disk"
    )
    commands.add_subcommand("data", data, help="print the facts of a data set")
    lr_find = new_parser(
        "Find the learning rates at which a model trains (their --learning_rate plays no part)."
    )
    add_settings(lr_find)
    add_machine(lr_find)
    lr_find.add_argument(
        "--steps", type=int, default=210, help="training steps, from a rate of 1e-6 to one of 10"
    )
    lr_find.add_argument("--directory", help="where to write (default: runs/DATA-ARCHITECTURE-lr-N)")
    commands.add_subcommand("lr-find", lr_find, help="find a learning rate")
    train = new_parser("Train one model and measure it on the test split.")
    add_settings(train)
    add_machine(train)
    train.add_argument("--resume", metavar="RUN", help="continue the interrupted run in this directory")
    train.add_argument("--directory", help="where to write the run (default: runs/DATA-ARCHITECTURE-N)")
    commands.add_subcommand("train", train, help="train one model")
    commands.add_subcommand("diagnose", diagnose_parser(), help="tell why a net does not learn")
    commands.add_subcommand("repair", repair_parser(), help="make a net learn that does not")
    export = new_parser("Export the best weights of a run as a SavedModel and prove it equal.")
    export.add_argument("run", help="directory of a run, of a trial, or of a study for its best trial")
    export.add_argument("--directory", help="where to put the numbered version (default: saved_models/RUN)")
    add_formats(export)
    commands.add_subcommand("export", export, help="export a run as a SavedModel")
    explain = new_parser(
        "Draw what a trained net makes of images: Grad-CAM, or the mask, and the maps of its layers."
    )
    explain.add_argument("run", help="directory of a run, of a trial, or of a study for its best trial")
    explain.add_argument(
        "files", nargs="*", help="image files, and folders of such (default: some test images)"
    )
    explain.add_argument("--layers", nargs="+", default=[], help="default: all activations, sums and pools")
    explain.add_argument("--directory", help="where to put the pictures (default: RUN/explain)")
    commands.add_subcommand("explain", explain, help="draw where a net looks")
    commands.add_subcommand("predict", predict_parser(), help="tell what an exported model makes of images")
    commands.add_subcommand("app", app_parser(), help="open a page to try exported models on")
    return parser


def _data(options) -> None:
    import json

    from keras_cnn.data.report import describe
    from keras_cnn.data.sources import load

    import_tensorflow()
    size = tuple(options.image_size) if options.image_size else None
    facts = load(
        options.name,
        image_size=size,
        validation_split=options.validation_split,
        split_seed=options.split_seed,
        download=options.download,
    ).facts
    print(json.dumps(facts.to_dict(), indent=1) if options.json else describe(facts))


def _lr_find(options) -> None:
    settings = read_settings(options)
    directory = new_directory(options.directory, f"{data_stem(settings.data)}-{settings.architecture}-lr")
    _start_tensorflow(options)
    from keras_cnn.training.lr_run import PLOT, find_run

    machine = {"devices": options.devices, "download": options.download}
    found = find_run(settings, directory, steps=options.steps, say=_print, **machine)
    if found.suggested is None:
        raise InputError(f"the loss fell at no rate from 1e-6 to 10: see {directory / PLOT}.")
    _print(f"suggested: --learning_rate {found.suggested:.1e}\nplot: {directory / PLOT}")


def _start_tensorflow(options) -> None:
    import_tensorflow()
    from keras_cnn.training.strategy import limit_threads

    limit_threads(options.threads)


def _train(options) -> None:
    if options.resume:
        _resume(options)
        return
    settings = read_settings(options)
    directory = new_directory(options.directory, f"{data_stem(settings.data)}-{settings.architecture}")
    _start_tensorflow(options)
    from keras_cnn.training.run import train_run

    try:
        train_run(settings, directory, devices=options.devices, download=options.download, say=_print)
    except KeyboardInterrupt:
        _print(f"The run can go on: python -m keras_cnn train --resume {directory}")
        raise


def _resume(options) -> None:
    if read_settings(options) != TrainSettings():
        raise InputError("a resumed run keeps its settings: give --resume alone, or with --devices.")
    _start_tensorflow(options)
    from keras_cnn.training.run import resume_run

    resume_run(Path(options.resume), devices=options.devices, say=_print)


def _export(options) -> None:
    run = Path(options.run)
    import_tensorflow()
    from keras_cnn.serving.export import export_run

    destination = Path(options.directory or f"saved_models/{run.resolve().name}")
    version = export_run(run, destination, formats=options.formats, say=_print)
    print(f"SavedModel: {version}")


def _explain(options) -> None:
    files = image_files(options.files)
    import_tensorflow()
    from keras_cnn.serving.explain import explain_run

    run = Path(options.run)
    explain_run(run, files, options.layers, Path(options.directory or run / "explain"), _print)


def _print(line: str) -> None:
    print(line, flush=True)
