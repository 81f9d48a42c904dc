"""keras-cnn lr-find: the learning rates at which a model trains."""

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
from keras_cnn.quantities import to_seconds


def parser() -> Parser:
    result = new_parser(
        "Find the learning rates at which a model trains; --learning_rate has no effect on it."
    )
    add_settings(result)
    add_machine(result)
    result.add_argument(
        "--steps",
        type=int,
        default=210,
        help="training steps at most, from a learning rate of 1e-6 to one of 10",
    )
    result.add_argument(
        "--time", default="20s", help="fewer steps, down to 42, where they would take longer: 20s, 5m"
    )
    result.add_argument("--directory", help="where to write (default: runs/DATA-ARCHITECTURE-lr-N)")
    return result


def run(options) -> None:
    settings, seconds = read_settings(options), to_seconds("time", options.time)
    start_tensorflow(options.threads)
    from keras_cnn.training.lr_run import PLOT, find_run

    machine = {"devices": options.devices, "download": options.download}
    found, directory = find_run(
        settings, wanted_directory(options), steps=options.steps, seconds=seconds, **machine
    )
    if found.suggested is None:
        raise InputError(f"the loss fell at no learning rate from 1e-6 to 10: see {directory / PLOT}.")
    print(f"suggested: --learning_rate {found.suggested:.1e}\nplot: {directory / PLOT}")
