"""keras-cnn ladder: replay the lecture and write ladder.html."""

import dataclasses
from dataclasses import fields
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.files import read_json, write_file, write_json
from keras_cnn.lecture.ladder import LadderSettings
from keras_cnn.parser import Parser, add_download, data_stem, new_directory, new_parser
from keras_cnn.tensorflow_import import import_tensorflow

SETTINGS, PAGE = "ladder.json", "ladder.html"


def parser() -> Parser:
    result = new_parser('Replay the lecture "How to increase the training accuracy of a CNN?", rung by rung.')
    result.add_class_arguments(LadderSettings)
    result.add_argument(
        "--threads", type=int | None, help="how many threads to compute in (default: one a processor)"
    )
    result.add_argument(
        "--directory", help="where to write (default: runs/DATA-ladder-N); one that was begun goes on"
    )
    add_download(result)
    return result


def run(options) -> None:
    settings = LadderSettings(**{field.name: options[field.name] for field in fields(LadderSettings)})
    directory = new_directory(options.directory, f"{data_stem(settings.data)}-ladder")
    _check_same(settings, directory)
    import_tensorflow()
    from keras_cnn.lecture.ladder import climb
    from keras_cnn.lecture.page import page
    from keras_cnn.training.strategy import limit_threads

    limit_threads(options.threads)
    results, facts = climb(settings, directory, options.download)
    write_file(
        directory / PAGE, lambda temporary_path: temporary_path.write_text(page(settings, results, facts))
    )
    print(f"page: {directory / PAGE}")


def _check_same(settings: LadderSettings, directory: Path) -> None:
    """A directory goes on with the settings it was begun with; only the page's language may be another."""
    path, wanted = directory / SETTINGS, dataclasses.asdict(settings)
    if path.exists():
        begun = read_json(path)
        other = [name for name in wanted if name != "language" and begun.get(name) != wanted[name]]
        if other:
            told = ", ".join(f"{name} {begun.get(name)}" for name in other)
            raise InputError(f"{directory} was begun with {told}; give the same, or another --directory.")
    else:
        directory.mkdir(parents=True, exist_ok=True)
        write_json(path, wanted)
