"""keras-cnn diagnose: find out why a model does not learn."""

import contextlib
import json
import logging
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cnn.directories import claim, data_stem
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

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

MESSAGES = "stderr"  # standard output is for the result, which may be JSON
MODEL = (
    "a .keras file, MODULE:FUNCTION that returns a model (or a model and its data, (x, y)), or the directory of a run; "
    "without it the model that the options below describe"
)


def parser() -> Parser:
    result = new_parser(
        "Find out whether a model learns from these data, at which learning rates, and if not, why."
    )
    add_common(result, "DATA-diagnosis-N")
    result.add_argument(
        "--time",
        help="for probe runs, such as 30s; the verdict is undecided if that is too short (default: no limit)",
    )
    result.add_argument("--json", action="store_true", help="print JSON instead of text")
    return result


def add_common(parser: Parser, stem: str) -> None:
    """Add the options of `diagnose` and `repair`."""
    parser.add_argument("model", nargs="?", help=MODEL)
    parser.add_argument("--directory", help=f"where to write (default: runs/{stem})")
    add_settings(parser)
    add_machine(parser)


def run(options) -> None:
    seconds = to_seconds("time", options.time)
    with prepared(options, "diagnosis") as (directory, model, data):
        from keras_cnn.diagnosis.diagnose import diagnose
        from keras_cnn.diagnosis.report import text, write_report

        found = diagnose(model, data, batch_size=options.batch_size, seconds=seconds)
        write_report(found, directory)
        print(json.dumps(found.to_dict(), indent=1) if options.json else text(found))
        logger.info(f"report: {directory}/diagnosis.txt, .json, .png")
        logger.info(f"tensorboard --logdir {shlex.quote(str(directory / 'logs'))}")


@contextlib.contextmanager
def prepared(options, stem: str) -> "Iterator[tuple[Path, keras.Model, Any]]":
    """(directory to write to, which is held; model; data) of the command line."""
    settings = read_settings(options)
    kind = "" if options.model is None else Path(options.model.partition(":")[0]).stem
    stem = f"{kind or data_stem(settings.data)}-{stem}"
    with claim(wanted_directory(options), stem, "diagnosis.json") as directory:
        start_tensorflow(options.threads)
        from keras_cnn.diagnosis.model_source import load_model_and_data

        yield directory, *load_model_and_data(options.model, settings, options.download)
