"""What both command lines share: a parser whose errors are one line, and exit codes."""

import contextlib
import dataclasses
import io
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import jsonargparse

from keras_cnn import logs
from keras_cnn.errors import BAD_INPUT, InputError, closest_name, refusal
from keras_cnn.input_files import read_text
from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow
from keras_cnn.training.config import TrainSettings
from keras_cnn.yaml_check import MAX_CONFIG_BYTES, check_yaml

logger = logging.getLogger(__name__)

SIZES = {
    "image_size": "height and width to resize every image to; the images' own size if not given",
    "crop_size": "height and width of the windows of images with masks that the net sees; whole images if not given",
}
# what other programs call an option
SYNONYMS = {
    **dict.fromkeys(("model", "net", "network"), "architecture"),
    **dict.fromkeys(("output", "out", "output_dir"), "directory"),
    **dict.fromkeys(("gpus", "num_gpus"), "devices"),
    "dataset": "data",
    "num_epochs": "epochs",
}
MAX_MESSAGE = 1000  # characters of an error


class Parser(jsonargparse.ArgumentParser):
    """jsonargparse's parser; a mistake on the command line is one line on stderr, with exit code 2."""

    def parse_args(self, args=None, *rest, **more):  # type: ignore[override]
        """`--batch-size` is `--batch_size`."""
        args = [
            re.sub(r"^--[^=]+", lambda name: "--" + name[0][2:].replace("-", "_"), arg)
            for arg in (sys.argv[1:] if args is None else args)
        ]
        options = super().parse_args(args, *rest, **more)
        for name, value in vars(options).items():
            if value == "" or (isinstance(value, list) and "" in value):
                self.error(f"{name} is empty: give a value, or leave it out")
        return options

    def parse_path(self, path, *rest, **more):  # type: ignore[override]
        """A configuration file, which must be a regular file of text."""
        with self._input_errors():
            read_text(path, MAX_CONFIG_BYTES)
        return super().parse_path(path, *rest, **more)

    def parse_string(self, content, *rest, **more):  # type: ignore[override]
        """A configuration, which must be a plain tree: see `check_yaml`."""
        with self._input_errors():
            check_yaml(content)
        return super().parse_string(content, *rest, **more)

    @contextlib.contextmanager
    def _input_errors(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            self.error(str(error))

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:  # type: ignore[override]
        text = re.sub(
            r"an? <class '(\w+)'>", r"\1", " ".join(str(message).replace("Parser key", "option").split())
        )
        # on the command line, or in a file of --config
        unknown = re.match(r"(?:unrecognized arguments: --?|Option ')([^\s=']+)", text)
        close = self._closest_option(unknown[1]) if unknown else None
        hint = f" Did you mean --{close}?" if close else f" See {self.prog.replace('[options] ', '')} --help."
        shown = text if len(text) < MAX_MESSAGE else f"{text[:MAX_MESSAGE]} ..."  # it may quote a whole file
        print(f"error: {shown.rstrip('.')}.{hint}", file=sys.stderr)
        sys.exit(BAD_INPUT)

    def _closest_option(self, name: str) -> str | None:
        name, dot, inner = name.partition(".")  # of --options.width
        strings = [option for action in self._actions for option in action.option_strings]
        known = [option[2:] for option in strings if option.startswith("--")]
        synonym = SYNONYMS.get(name.casefold())
        close = synonym if synonym in known else closest_name(name, known)
        return f"{close}{dot}{inner}" if close else None


def new_parser(description: str) -> Parser:
    """A parser of one command, with `--config run.yaml` and `--print_config`."""
    parser = Parser(description=description)
    parser.add_argument("--config", action="config", help="YAML file of options; others given override it")
    return parser


def add_settings(parser: Parser, searched: Sequence[str] = (), skip: Sequence[str] = ()) -> None:
    """The options of TrainSettings but `skip`; those `searched` are None, and left to the search, unless given."""
    parser.add_class_arguments(TrainSettings, skip={*SIZES, *searched, *skip})
    for name, text in SIZES.items():
        parser.add_argument(f"--{name}", nargs=2, type=int, metavar=("H", "W"), help=text)
    for field in dataclasses.fields(TrainSettings):
        if field.name in searched:
            parser.add_argument(f"--{field.name}", type=field.type | None, help="searched unless given")  # type: ignore[operator]


def add_machine(parser: Parser) -> None:
    """The options that say where to run, not what."""
    parser.add_argument(
        "--devices",
        type=int | None,
        help="how many GPUs to use (default: all); without a GPU, how many logical devices to split the CPU into",
    )
    parser.add_argument(
        "--threads",
        type=int | None,
        help="how many threads TensorFlow computes in (default: one a processor)",
    )
    add_download(parser)


def add_download(parser: Parser) -> None:
    """`--download`, of what loads data by name."""
    parser.add_argument(
        "--download", action="store_true", help="fetch a TFDS data set that is not on disk from the network"
    )


def add_formats(parser: Parser) -> None:
    """`--formats`, of what exports."""
    parser.add_argument(
        "--formats",
        nargs="+",
        default=[],
        metavar="FORMAT",
        help="beside the SavedModel, measured on the test split: litert, litert_dynamic, litert_int8, onnx",
    )


def add_refit(parser: Parser) -> None:
    """`--refit`, of what exports a study."""
    parser.add_argument(
        "--refit",
        action="store_true",
        help="of a study: train its best configuration anew, on training and validation images together, and export "
        "that model, which is not validated itself; otherwise the model that was scored is exported",
    )


def read_settings(options: jsonargparse.Namespace) -> TrainSettings:
    """TrainSettings of the parsed options; None stands for the default."""
    names = [field.name for field in dataclasses.fields(TrainSettings)]
    return TrainSettings.from_dict({n: options[n] for n in names if options.get(n) is not None})


def wanted_directory(options: jsonargparse.Namespace) -> Path | None:
    """The value of --directory, as `directories.claim` takes it."""
    return Path(options.directory) if options.directory else None


def start_tensorflow(threads: int | None = None) -> None:
    """Import TensorFlow, which takes seconds, to compute in so many threads; None for one a processor."""
    logger.info("starting TensorFlow")
    import_tensorflow(hidden=OPTIONAL)
    from keras_cnn.training.strategy import limit_threads

    limit_threads(threads)


def image_files(names: list[str]) -> list[Path]:
    """Files as named, and of folders the images at any depth, sorted, without the junk that `folder:` skips too.

    InputError for a folder that holds none, or cannot be read.
    """
    from keras_cnn.data.decode import ENDINGS
    from keras_cnn.data.image_files import images_below

    found = []
    for path in map(Path, names):
        if not path.is_dir():
            found.append(path)
            continue
        try:
            inside = images_below(path)
        except OSError as error:
            raise InputError(f"cannot read the folder {str(path)!r}: {error}.") from error
        if not inside:
            raise InputError(f"{str(path)!r} holds no image. Known are {', '.join(sorted(ENDINGS))}.")
        found += inside
    return found


def run_command(run: Callable[[], None], messages: str = "stdout") -> int:
    """Run a command and return its exit code. Bad input, a full disk and Ctrl-C become one line on stderr.

    messages: the stream of what the library logs, stdout or stderr.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a character gets its code instead
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logs.print_to(messages)
    warnings.showwarning = lambda message, *rest, **more: print(f"warning: {message}", file=sys.stderr)
    try:
        run()
    except InputError as error:
        return _say(str(error))
    except KeyboardInterrupt:
        return _say("interrupted.")
    except Exception as error:
        message = refusal(error)
        if message is None:
            raise
        return _say(message)
    return 0


def _say(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return BAD_INPUT
