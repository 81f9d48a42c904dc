"""keras-cnn train: one model, trained and measured on the test split."""

import shlex
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.parser import (
    Parser,
    add_machine,
    add_settings,
    data_stem,
    new_directory,
    new_parser,
    read_settings,
    start_tensorflow,
)
from keras_cnn.training.config import TrainSettings


def parser() -> Parser:
    result = new_parser("Train one model and measure it on the test split.")
    add_settings(result)
    add_machine(result)
    result.add_argument("--resume", metavar="RUN", help="continue the interrupted run in this directory")
    result.add_argument("--directory", help="where to write the run (default: runs/DATA-ARCHITECTURE-N)")
    return result


def run(options) -> None:
    if options.resume:
        _resume(options)
        return
    settings = read_settings(options)
    directory = new_directory(options.directory, f"{data_stem(settings.data)}-{settings.architecture}")
    start_tensorflow(options.threads)
    from keras_cnn.training.run import train_run

    try:
        train_run(settings, directory, devices=options.devices, download=options.download)
    except KeyboardInterrupt:
        print(f"To continue: keras-cnn train --resume {shlex.quote(str(directory))}", flush=True)
        raise


def _resume(options) -> None:
    if read_settings(options) != TrainSettings():
        raise InputError("a resumed run keeps its settings: give --resume alone, or with --devices.")
    start_tensorflow(options.threads)
    from keras_cnn.training.run import resume_run

    resume_run(Path(options.resume), devices=options.devices)
