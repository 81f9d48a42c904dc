"""keras-cnn ladder: replay the lecture and write ladder.html."""

import dataclasses
from dataclasses import fields
from pathlib import Path

from keras_cnn.directories import claim, data_stem
from keras_cnn.errors import InputError
from keras_cnn.files import write_text
from keras_cnn.lecture.ladder import LadderSettings
from keras_cnn.parser import Parser, add_download, new_parser, start_tensorflow, wanted_directory
from keras_cnn.records import read_record, write_record

SETTINGS, PAGE = "ladder.json", "ladder.html"


def parser() -> Parser:
    result = new_parser('Replay the lecture "How to increase the training accuracy of a CNN?", rung by rung.')
    result.add_class_arguments(LadderSettings)
    result.add_argument("--threads", type=int | None, help="number of threads (default: one per processor)")
    result.add_argument(
        "--directory",
        help="where to write (default: runs/DATA-ladder-N); an interrupted ladder there continues",
    )
    add_download(result)
    return result


def run(options) -> None:
    settings = LadderSettings(**{field.name: options[field.name] for field in fields(LadderSettings)})
    with claim(wanted_directory(options), f"{data_stem(settings.data)}-ladder", None) as directory:
        _check_same(settings, directory)
        start_tensorflow(options.threads)
        from keras_cnn.lecture.ladder import climb
        from keras_cnn.lecture.page import page

        results, facts = climb(settings, directory, options.download)
        write_text(directory / PAGE, page(settings, results, facts))
    print(f"page: {directory / PAGE}")


def _check_same(settings: LadderSettings, directory: Path) -> None:
    """A directory continues with the settings that it was started with; only the language may differ."""
    path, wanted = directory / SETTINGS, dataclasses.asdict(settings)
    if path.exists():
        started = read_record(path)
        other = [name for name in wanted if name != "language" and started.get(name) != wanted[name]]
        if other:
            settings_text = ", ".join(f"{name} {started.get(name)}" for name in other)
            raise InputError(
                f"{directory} was started with {settings_text}; give the same settings, or another --directory."
            )
    else:
        write_record(path, wanted)
