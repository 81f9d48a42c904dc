"""keras-cnn export: a run as a SavedModel, proven equal to the trained model."""

import importlib
from pathlib import Path

from keras_cnn.parser import Parser, add_formats, add_refit, new_parser, start_tensorflow


def parser() -> Parser:
    result = new_parser("Export the best weights of a run as a SavedModel and prove it equal to the model.")
    result.add_argument("run", help="directory of a run, of a trial, or of a study for its best trial")
    result.add_argument("--directory", help="where to put the numbered version (default: saved_models/RUN)")
    add_formats(result)
    add_refit(result)
    return result


def run(options) -> None:
    source = Path(options.run)
    if options.refit:
        # handed on to `tuning`, which imports this package and is not imported by it
        source = importlib.import_module("tuning.commands").refit(source)
    else:
        start_tensorflow()
    from keras_cnn.serving.export import export_run

    destination = Path(options.directory or f"saved_models/{Path(options.run).resolve().name}")
    version = export_run(source, destination, formats=options.formats)
    print(f"SavedModel: {version}")
