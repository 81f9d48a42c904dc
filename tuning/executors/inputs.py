"""What a search in Python hands to its workers: the user's function and data, which are in no file of the study."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keras_cnn.data.dataset import ImageData
from tuning.tuners.keras_settings import apply_keras_settings, keras_settings
from tuning.tuners.program import load_program


@dataclass(frozen=True)
class Inputs:
    """build: a function `build(hp)`; None if the study names it. data: None if the study names them."""

    build: Callable | None = None
    data: ImageData | None = None

    def portable(self) -> tuple:
        """What `Program` writes, and `use_inputs` reads in another process."""
        return keras_settings(), self.build, self.data


_current = Inputs()


def use_inputs(path: Path) -> None:
    """Take the inputs in the file of a `Program`, and the Keras settings of the process that wrote it."""
    global _current
    settings, build, data = load_program(path)
    apply_keras_settings(settings)
    _current = Inputs(build, data)


def current() -> Inputs:
    """The inputs of the search that this worker belongs to."""
    return _current
