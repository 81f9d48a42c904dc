"""python -m keras_cnn diagnose | repair: why does a net not learn, and what makes it learn?"""

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_cnn.command import (
    Parser,
    add_machine,
    add_settings,
    data_stem,
    new_directory,
    new_parser,
    read_settings,
)
from keras_cnn.errors import InputError, in_one_line
from keras_cnn.files import write_file, write_json
from keras_cnn.quiet import import_tensorflow

if TYPE_CHECKING:
    import keras

IMAGES = 4096
MODEL = (
    "a .keras file, MODULE:FUNCTION that gives a net (or a net and its data, (x, y)), or the directory of a run; "
    "without it the net that the options below describe"
)


def diagnose_parser() -> Parser:
    parser = new_parser("Tell whether a net will train on these data, at which rates, and if not, why.")
    _add_common(parser, "DATA-diagnosis-N")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


def repair_parser() -> Parser:
    parser = new_parser(
        "Change a net that does not learn until it does; trains before and after on one budget."
    )
    _add_common(parser, "DATA-repair-N")
    parser.add_argument("--budget", type=int, default=300, help="training steps, before and after each")
    return parser


def _add_common(parser: Parser, stem: str) -> None:
    parser.add_argument("model", nargs="?", help=MODEL)
    parser.add_argument("--directory", help=f"where to write (default: runs/{stem})")
    add_settings(parser)
    add_machine(parser)


def run_diagnose(options) -> None:
    directory, model, data = _prepared(options, "diagnosis")
    from keras_cnn.diagnosis.diagnose import diagnose
    from keras_cnn.diagnosis.report import text, write_report

    found = diagnose(model, data, batch_size=options.batch_size, say=_progress)
    write_report(found, directory)
    print(json.dumps(found.to_dict(), indent=1) if options.json else text(found))
    _progress(f"report: {directory}/diagnosis.txt, .json, .png\ntensorboard --logdir {directory / 'logs'}")


def run_repair(options) -> None:
    if options.budget < 10:
        raise InputError(f"--budget {options.budget} must be at least 10 steps. Usual: 300.")
    directory, model, data = _prepared(options, "repair")
    from keras_cnn.diagnosis.diagnose import diagnose
    from keras_cnn.diagnosis.repair import repair
    from keras_cnn.diagnosis.report import text, write_report

    found = diagnose(model, data, batch_size=options.batch_size, say=_progress)
    write_report(found, directory)
    print(text(found) + "\n")
    mended = repair(model, data, found, budget=options.budget, say=_progress)
    write_json(directory / "repair.json", mended.to_dict())
    print(f"\n{mended}")
    if mended.cured:
        write_file(directory / "repaired.keras", mended.model.save)
        print(f"the repaired net, with the weights it started from: {directory / 'repaired.keras'}")


def _prepared(options, stem: str) -> "tuple[Path, keras.Model, Any]":
    """(folder to write to, net, data) of the command line."""
    settings = read_settings(options)
    kind = "" if options.model is None else Path(options.model.partition(":")[0]).stem
    directory = new_directory(options.directory, f"{kind or data_stem(settings.data)}-{stem}")
    if (directory / "diagnosis.json").exists():
        raise InputError(f"{directory} already holds a diagnosis.json; choose another --directory.")
    import_tensorflow()
    from keras_cnn.training.strategy import limit_threads

    limit_threads(options.threads)
    if options.model is None or Path(options.model).is_dir():
        return directory, *_ours(options, settings)
    saved = options.model.endswith(".keras")
    model, data = (_load(Path(options.model)), None) if saved else _call(options.model)
    return directory, model, _arrays(model, settings, _data(options, settings)) if data is None else data


def _ours(options, settings) -> tuple:
    import tensorflow as tf

    from keras_cnn.training.train import best_model, make_model

    weights = None
    if options.model is not None:
        from keras_cnn.runs import chosen_run, read_run

        run = read_run(chosen_run(Path(options.model)))
        settings, weights = run.settings, run
    settings.check_names()
    data = _data(options, settings)
    settings = settings.resolved(data.facts)
    model, *_ = make_model(settings, data, tf.distribute.get_strategy())
    if weights is not None:
        model.set_weights(best_model(settings, weights.facts, weights.directory).get_weights())
    return model, _arrays(model, settings, data)


def _data(options, settings):
    from keras_cnn.data.sources import load

    return load(**settings.load_arguments(), download=options.download)


def _arrays(model, settings, data) -> tuple:
    """(x, y) of training images, in pixels 0..255, that a diagnosis looks at; of masks windows of the net's size."""
    import numpy as np

    from keras_cnn.data.facts import Split
    from keras_cnn.data.windows import cut
    from keras_cnn.training.evaluate import window_of

    train, images = data.train, IMAGES
    window = window_of(model) if data.facts.task == "segmentation" else None
    if window is not None and None in window.size:  # it takes images of any size
        window = None
    if window is not None:
        window.check(data.facts.shape)
        images = max(1, IMAGES // window.count(1, data.facts.shape))
    chosen = np.random.default_rng(settings.seed).permutation(len(train))[:images]
    split = Split(train.images[chosen], train.labels[chosen])
    split = cut(split, window) if window is not None else split
    return split.images.astype("float32"), split.labels


def _load(path: Path) -> "keras.Model":
    import keras

    if not path.exists():
        raise InputError(f"there is no {path}.")
    try:
        return keras.saving.load_model(path)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise InputError(
            f"{path} cannot be loaded: {in_one_line(error)} Give MODULE:FUNCTION if it has layers of its own."
        ) from None


def _call(place: str) -> "tuple[keras.Model, Any]":
    """(net, its data or None) that `module:function` gives."""
    import keras

    module, colon, name = place.partition(":")
    if not colon:
        raise InputError(
            f"{place!r} is neither a .keras file, nor the directory of a run, nor MODULE:FUNCTION."
        )
    sys.path.insert(0, "")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{place} cannot be imported: {error}.") from None
    given = function()
    model, data = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not isinstance(model, keras.Model):
        raise InputError(
            f"{place} gave a {type(model).__name__}: a keras.Model is needed, or one and its data."
        )
    return model, data


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
