"""keras-cnn data: the facts of a data set."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from keras_cnn.directories import data_stem
from keras_cnn.errors import InputError
from keras_cnn.parser import Parser, add_download, new_parser
from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow

if TYPE_CHECKING:
    from keras_cnn.data.dataset import ImageData


def parser() -> Parser:
    result = new_parser("Print the facts of a data set.")
    result.add_argument(
        "name",
        help="digits, folder:PATH, pairs:PATH, MODULE:FUNCTION, or the name of a TFDS image classification set",
    )
    result.add_argument("--image_size", nargs=2, type=int, metavar=("H", "W"), help="resize every image")
    result.add_argument(
        "--validation_split", type=float, default=0.1, help="part of train held out, in (0, 1)"
    )
    result.add_argument("--split_seed", type=int, default=0, help="which images are held out")
    result.add_argument("--task", help="what the labels of MODULE:FUNCTION are (default: found in them)")
    result.add_argument("--json", action="store_true", help="print JSON")
    result.add_argument(
        "--report", metavar="FILE", help="also write an HTML page about the data, with images, to FILE"
    )
    result.add_argument(
        "--augmentation", default="auto", help="of the batch that the page shows, as `train` takes it"
    )
    add_download(result)
    return result


def run(options) -> None:
    from keras_cnn.data.describe import describe
    from keras_cnn.data.left_out import LEFT_OUT, write_left_out
    from keras_cnn.data.sources import load

    import_tensorflow(hidden=OPTIONAL)
    _check_report(options)
    data = load(
        options.name,
        image_size=tuple(options.image_size) if options.image_size else None,
        validation_split=options.validation_split,
        split_seed=options.split_seed,
        download=options.download,
        task=options.task,
    )
    print(json.dumps(data.facts.to_dict(), indent=1) if options.json else describe(data.facts))
    messages = sys.stderr if options.json else sys.stdout
    if options.report is not None:
        print(f"report: {_report(options, data)}", file=messages)
    for line in write_left_out(data, Path("runs") / f"{data_stem(options.name)}-{LEFT_OUT}"):
        print(line, file=messages)


def _check_report(options) -> None:
    """Raise InputError for a page that could not be written, before anything is read."""
    from keras_cnn.data.augmentation.augment import parse_augmentation

    if options.augmentation != "auto":
        parse_augmentation(options.augmentation)
    if options.report is not None and Path(options.report).is_dir():
        raise InputError(f"--report {options.report!r} is no file: give one, such as data.html.")


def _report(options, data: "ImageData") -> Path:
    from keras_cnn.data.report.page import write_data_report
    from keras_cnn.training.config import TrainSettings

    settings = TrainSettings(data=options.name, augmentation=options.augmentation).resolved(data.facts)
    path = Path(options.report)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_data_report(data, path, settings.augmentation)
    return path
