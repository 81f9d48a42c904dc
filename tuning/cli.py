"""keras-cnn search | resume | status | report | export: many models.

It parses and hands on to `tuning.commands`. TensorFlow is imported when a command needs it, not for `--help`.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import partial

from keras_cnn.errors import InputError
from keras_cnn.parser import (
    Parser,
    add_download,
    add_formats,
    add_refit,
    add_settings,
    new_parser,
    run_command,
)
from keras_cnn.training.config import TrainSettings
from keras_cnn.usage import refuse_command, usage
from tuning import commands
from tuning.executors.machine import MachineSettings
from tuning.search_settings import FIXED, SearchSettings
from tuning.space.searched import SEARCHED

TEXTS = {
    "search": "search for the best model; report and export it",
    "resume": "continue a search",
    "status": "show the progress of a search, also while it runs",
    "report": "write trials.csv, report.md and report.html, and print the table of trials; of a run, report.html",
    "export": "measure the best trial on the test split, once, and export it",
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
        print(usage("python -m tuning", "Search for the best convolutional network.", TEXTS))
        return 0
    if command not in PARSERS:
        return refuse_command(command, TEXTS)
    if command == "resume":
        refused = run_command(lambda: _refuse_fixed(arguments))
        if refused:
            return refused
    parser = PARSERS[command]()
    parser.prog = f"keras-cnn {command}"
    options = parser.parse_args(arguments[1:])
    return run_command(lambda: getattr(commands, command)(options))


def _search_parser() -> Parser:
    parser = new_parser("Search an architecture's space; report, measure and export the best trial.")
    add_settings(parser, SEARCHED, skip=["architecture", "objective", "epochs"])
    parser.add_argument(
        "build",
        nargs="?",
        help="MODULE:FUNCTION of a function build(hp) of your own, which returns a model, as KerasTuner takes it; "
        "if not given, the space of --architecture is searched",
    )
    parser.add_argument(
        "--architecture",
        nargs="+",
        help="name of an architecture; of several, the search chooses (default: vgg)",
    )
    parser.add_argument(
        "--objective",
        nargs="+",
        help="validation metric that ranks trials (default: val_accuracy, or val_mean_iou of masks); further metrics, "
        "parameters, macs, latency_ms or seconds after it make a Pareto front with it",
    )
    parser.add_argument(
        "--epochs",
        type=int | None,
        help="of each trial, or of those that are trained in full (default: 8; with --time, auto plans them)",
    )
    parser.add_class_arguments(SearchSettings)
    parser.add_class_arguments(MachineSettings)
    parser.add_argument(
        "--devices",
        type=int | None,
        help="without a GPU: how many logical devices to split the CPU into, for each trial",
    )
    parser.add_argument(
        "--threads",
        type=int | None,
        help="how many threads each trial computes in (default: 1, of auto up to 4; on GPUs what TensorFlow takes)",
    )
    add_download(parser)
    parser.add_argument(
        "--directory", help="where to write the study (default: runs/DATA-ARCHITECTURE-TUNER-N)"
    )
    parser.add_argument(
        "--start_with",
        nargs="+",
        default=[],
        metavar="FILE",
        help="points to try first, as in a study's best.json",
    )
    return parser


def _resume_parser() -> Parser:
    parser = new_parser("Continue an interrupted search, or one that has ended, within new limits.")
    parser.add_argument("directory", help="directory of the study")
    for field in fields(SearchSettings):
        if field.name not in FIXED:
            parser.add_argument(f"--{field.name}", type=field.type | None, help="instead of the study's")  # type: ignore[operator]
    parser.add_argument(
        "--patience", type=int | None, help="instead of the study's, for trials that are to begin"
    )
    parser.add_class_arguments(MachineSettings)
    return parser


def _refuse_fixed(arguments: list[str]) -> None:
    """Raise InputError if `resume` is given an option that would make old and new trials incomparable."""
    fixed = {*FIXED, *(field.name for field in fields(TrainSettings)), "devices", "threads", "start_with"}
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("--").replace("-", "_").partition(".")[0]
        if argument.startswith("--") and name in fixed - {"patience"}:
            raise InputError(
                f"--{name} of a study cannot be changed, or its trials could not be compared. Start a new search with "
                "it; --start_with takes over the best point."
            )


def _study_parser(command: str) -> Parser:
    text = TEXTS[command]
    parser = new_parser(f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("directory", help="directory of the study")
    if command == "export":
        add_formats(parser)
        add_refit(parser)
    return parser


PARSERS: dict[str, Callable[[], Parser]] = {
    "search": _search_parser,
    "resume": _resume_parser,
    **{command: partial(_study_parser, command) for command in ("status", "report", "export")},
}
