"""What of a study is in no file of it, and how its search is continued."""

import shlex

from keras_cnn.data.arrays import ARRAYS
from keras_cnn.function_import import is_function_name
from tuning.config import StudyConfig


def in_memory(study: StudyConfig) -> list[str]:
    """What of a study only the Python program has that began it: `build`, `data`, both or none."""
    by_object = not is_function_name(study.base.architecture) and study.space is not None
    return [*(["build"] if by_object else []), *(["data"] if study.base.data == ARRAYS else [])]


def resume_command(study: StudyConfig) -> str:
    """The command that continues a study, or the Python code if it needs what is not stored."""
    missing = in_memory(study)
    if missing:
        return f"tuning.Study({', '.join([repr(str(study.directory)), *missing])}).resume()"
    return f"keras-cnn resume {shlex.quote(str(study.directory))}"
