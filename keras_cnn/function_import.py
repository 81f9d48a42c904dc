"""A function of the user's, named MODULE:FUNCTION: a string, so that runs and commands can hold it."""

import importlib
import sys
from collections.abc import Callable

from keras_cnn.errors import InputError, in_one_line


def is_function_name(name: str) -> bool:
    """Whether `name` has the form MODULE:FUNCTION, for example `my_data:training_images`."""
    module, colon, function = name.partition(":")
    parts = [*module.split("."), *function.split(".")]
    return bool(colon) and all(part.isidentifier() for part in parts)


def import_function(name: str) -> Callable:
    """The function MODULE:FUNCTION; modules in the current folder are found too.

    Raises:
        InputError: if the module cannot be imported, or has no such function.
    """
    module, _, function = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
        for attribute in function.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{name} cannot be imported: {error}.") from None
    except Exception as error:  # whatever the module does when it is imported
        raise InputError(
            f"{name} cannot be imported: {type(error).__name__}: {in_one_line(error)}."
        ) from error
    if not callable(found):
        raise InputError(f"{name} is a {type(found).__name__}, not a function.")
    return found
