"""The command line `keras-cnn COMMAND`, also `python -m keras_cnn COMMAND`: finds the command's module and runs it.

Only the module of the command that is given is imported, so that `--help` answers at once.
"""

import importlib
import sys

from keras_cnn import stderr_filter
from keras_cnn.errors import BAD_INPUT
from keras_cnn.usage import refuse_command, usage

# command -> (module with `parser()` and `run(options)`, what it does)
COMMANDS = {
    "data": ("data", "print the facts of a data set"),
    "describe": ("describe", "print the layers, parameters and sizes of an architecture"),
    "train": ("train", "train one model and measure it on the test split"),
    "lr-find": ("lr_find", "find the learning rates at which a model trains"),
    "diagnose": ("diagnose", "find out why a model does not learn"),
    "repair": ("repair", "change a model that does not learn until it does"),
    "export": ("export", "export a run as a SavedModel, proven equal to the trained model"),
    "explain": ("explain", "draw Grad-CAM and feature maps of a trained model"),
    "predict": ("predict", "predict image files with an exported model"),
    "app": ("app", "open a page to try exported models"),
    "ladder": ("ladder", "replay the lecture, rung by rung"),
}
# handed on to `tuning`, which imports this package and is not imported by it
TUNING_COMMANDS = {
    "search": "search for the best model; report and export it",
    "resume": "continue a search",
    "status": "show the progress of a search",
    "report": "write the report of a search and print its trials",
}


def main(arguments: list[str]) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code: 0, or 2 for bad input.
    """
    command = arguments[0] if arguments else "--help"
    if command in ("-h", "--help"):
        print(usage("keras-cnn", "Convolutional networks that learn.", _texts()))
        return 0
    if command == "--version":
        from importlib.metadata import version

        print(f"keras-cnn {version('keras-cnn')}")
        return 0
    if command in TUNING_COMMANDS:
        return importlib.import_module("tuning.cli").main(arguments)
    if command not in COMMANDS:
        return refuse_command(command, _texts())
    return _run(command, arguments[1:])


def console() -> None:
    """Entry point of the script `keras-cnn`."""
    stderr_filter.install()
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:  # as modules are imported and options parsed; later `run_command` takes it
        print("error: interrupted.", file=sys.stderr)
        code = BAD_INPUT
    sys.exit(code)


def _run(command: str, arguments: list[str]) -> int:
    from keras_cnn.parser import run_command

    module = importlib.import_module(f"keras_cnn.cli.{COMMANDS[command][0]}")
    parser = module.parser()
    parser.prog = f"keras-cnn {command}"
    options = parser.parse_args(arguments)
    return run_command(lambda: module.run(options), getattr(module, "MESSAGES", "stdout"))


def _texts() -> dict[str, str]:
    return {name: text for name, (_, text) in COMMANDS.items()} | TUNING_COMMANDS
