"""keras-cnn train: one model, trained and measured on the test split."""

from dataclasses import replace
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.parser import (
    Parser,
    add_machine,
    add_settings,
    new_parser,
    read_settings,
    start_tensorflow,
    wanted_directory,
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
    if options.resume is not None:  # an empty name, as of a variable that is not set, begins no other run
        _resume(options)
        return
    settings = read_settings(options)
    start_tensorflow(options.threads)
    from keras_cnn.api import train

    train(settings, directory=wanted_directory(options), devices=options.devices, download=options.download)


def _resume(options) -> None:
    epochs = None if options.epochs == TrainSettings.epochs else options.epochs
    if replace(read_settings(options), epochs=TrainSettings.epochs) != TrainSettings():
        raise InputError(
            "a resumed run keeps its settings: give --resume alone, or with --epochs, --devices or --threads."
        )
    start_tensorflow(options.threads)
    from keras_cnn.training.run import resume_run

    resume_run(Path(options.resume), epochs=epochs, devices=options.devices)
