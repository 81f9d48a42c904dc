"""keras-cnn predict: predictions of an exported model for image files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from keras_cnn.errors import InputError
from keras_cnn.files import distinct_stems, to_csv, write_file
from keras_cnn.parser import Parser, image_files, new_parser
from keras_cnn.task import REGRESSION
from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow

if TYPE_CHECKING:
    from keras_cnn.serving.predictor import Prediction, Values


COLUMNS = ["file", "label", "probability", "mask", "error"]


def parser() -> Parser:
    result = new_parser("Predict image files with an exported model; files that cannot be read are named.")
    result.add_argument(
        "model", help="folder of a SavedModel: a version, or one of versions; or its name in saved_models"
    )
    result.add_argument("files", nargs="+", help="image files, and folders of such")
    result.add_argument("--top", type=int, default=5, help="number of classes to print for each image")
    result.add_argument("--json", action="store_true", help="print a list of objects")
    result.add_argument("--csv", action="store_true", help="print a table with commas")
    result.add_argument("--masks", metavar="FOLDER", help="where to write masks, as PNG of class numbers")
    return result


def run(options) -> None:
    """Raise InputError at the end if a file could not be read, after all others are predicted."""
    if options.json and options.csv:
        raise InputError("give --json or --csv, not both.")
    if options.top < 1:
        raise InputError(f"top={options.top} must be at least 1.")
    files = image_files(options.files)
    import_tensorflow(keras=False, hidden=OPTIONAL)
    from keras_cnn.serving.predictor import Predictor, Values

    model = Path(options.model)
    named = Path("saved_models") / options.model
    predictor = Predictor(named if not model.exists() and named.exists() else model)
    masks = Path(options.masks) if options.masks else None
    if masks and not predictor.makes_masks:
        raise InputError(f"--masks: {predictor.path} makes no masks but one label for each image.")
    rows = []
    names = distinct_stems(files)  # files of several folders may have the same name
    for file, name, found in zip(files, names, predictor.predict(files, options.top), strict=True):
        rows.append(_row(file, found))
        if masks and not isinstance(found, InputError | Values):
            rows[-1]["mask"] = str(_write_mask(masks / f"{name}.png", found))
        if not options.json and not options.csv:
            print(_line(rows[-1]), flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    if options.csv:
        columns = ["file", *predictor.classes, "error"] if predictor.task == REGRESSION else COLUMNS
        print(to_csv([{**row, **row.get("values", {})} for row in rows], columns), end="")
    failed = [row for row in rows if "error" in row]
    if failed:
        raise InputError(f"{len(failed)} of {len(rows)} files could not be read: {failed[0]['error']}")


def _row(file: Path, found: "Prediction | Values | InputError") -> dict:
    from keras_cnn.serving.predictor import Values

    if isinstance(found, InputError):
        return {"file": str(file), "error": str(found)}
    if isinstance(found, Values):
        return {"file": str(file), "values": found.values}
    top = [{"label": label, "probability": probability} for label, probability in found.top]
    return {"file": str(file), "label": found.label, "probability": found.probability, "top": top}


def _line(row: dict) -> str:
    if "error" in row:
        return f"{row['file']}  {row['error']}"
    if "values" in row:
        return f"{row['file']}  " + "  ".join(f"{name} {value:.6g}" for name, value in row["values"].items())
    return f"{row['file']}  " + "  ".join(f"{best['label']} {best['probability']:.4f}" for best in row["top"])


def _write_mask(path: Path, found: "Prediction") -> Path:
    import numpy as np
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    mask = Image.fromarray(found.probabilities.argmax(axis=-1).astype(np.uint8))
    write_file(path, lambda temporary_path: mask.save(temporary_path, format="PNG"))
    return path
