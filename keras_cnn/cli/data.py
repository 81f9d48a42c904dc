"""keras-cnn data: the facts of a data set."""

import json
import sys
from pathlib import Path

from keras_cnn.directories import data_stem
from keras_cnn.parser import Parser, add_download, new_parser
from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow


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
    add_download(result)
    return result


def run(options) -> None:
    from keras_cnn.data.describe import describe
    from keras_cnn.data.left_out import LEFT_OUT, write_left_out
    from keras_cnn.data.sources import load

    import_tensorflow(hidden=OPTIONAL)
    data = load(
        options.name,
        image_size=tuple(options.image_size) if options.image_size else None,
        validation_split=options.validation_split,
        split_seed=options.split_seed,
        download=options.download,
        task=options.task,
    )
    print(json.dumps(data.facts.to_dict(), indent=1) if options.json else describe(data.facts))
    for line in write_left_out(data, Path("runs") / f"{data_stem(options.name)}-{LEFT_OUT}"):
        print(line, file=sys.stderr if options.json else sys.stdout)
