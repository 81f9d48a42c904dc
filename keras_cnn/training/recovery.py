"""Files of a run that a power cut or a bad disk has damaged: moved aside, and made anew from what the others hold.

A run's own writes are atomic, so no kill leaves such a file.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from keras_cnn.errors import DamagedFileError
from keras_cnn.records import is_damaged
from keras_cnn.training.archives import is_whole
from keras_cnn.training.run_directory import (
    BEST_WEIGHTS,
    CHECKPOINT,
    METRICS,
    RUN,
    RUN_COPY,
    TEST,
    Run,
    parse_run,
    read_metrics,
    read_run,
    read_test,
)

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

QUARANTINE = "quarantine"
ARCHIVES = (BEST_WEIGHTS, CHECKPOINT)
Reader = Callable[[Path], object]
READERS: dict[str, Reader] = {
    RUN: parse_run,
    RUN_COPY: parse_run,
    TEST: lambda path: read_test(path.parent),
    METRICS: lambda path: read_metrics(path.parent),
}
CONSEQUENCES = {
    RUN: "written again from its copy",
    RUN_COPY: "written again from its copy",
    TEST: "the test split is measured again",
    METRICS: "made again from the checkpoint",
}


def repair_run(directory: Path) -> tuple[Run, list[str]]:
    """Move damaged files of the run in `directory`, which is held, to its `quarantine`, so that it can continue.

    A run whose archives are damaged begins anew and, on the same machine, ends with the same weights.

    Returns:
        (the run, a line for each damaged file).

    Raises:
        InputError: if there is no run, or nothing is left of its settings.
    """
    run = read_run(directory)
    notes = quarantine_damaged(directory, directory, CONSEQUENCES)
    if {RUN, RUN_COPY} & notes.keys() or not (directory / RUN).exists():
        run.write()
    return run, [*notes.values(), *repair_archives(directory)]


def quarantine_damaged(
    root: Path, directory: Path, consequences: dict[str, str], readers: dict[str, Reader] = READERS
) -> dict[str, str]:
    """Move damaged records of the run in `directory` to the quarantine of `root`.

    Args:
        root: of the run or study.
        directory: of the run.
        consequences: name of each record to look at -> what its damage leads to.
        readers: what reads, and so verifies, a record of each name.

    Returns:
        Name -> a line, of each record that was damaged.
    """
    return {
        name: quarantine(root, directory / name, consequence)
        for name, consequence in consequences.items()
        if is_damaged(directory / name, readers[name])
    }


def repair_archives(directory: Path) -> list[str]:
    """Move damaged archives of the run in `directory` to its quarantine, and drop what depends on them."""
    damaged = damaged_archives(directory)
    if (directory / METRICS).exists() and not (directory / BEST_WEIGHTS).exists():
        damaged = [*damaged, directory / BEST_WEIGHTS]
    notes = [quarantine(directory, path, "the run begins anew") for path in dict.fromkeys(damaged)]
    if notes:  # what is whole is kept there too: the run may turn out not to be trainable again
        for path in (directory / name for name in (*ARCHIVES, METRICS, TEST)):
            if path.exists():
                quarantine(directory, path, "")
    return notes


def damaged_archives(directory: Path) -> list[Path]:
    """Those of the archives in `directory` that are not what was written, or lost: no checkpoint precedes the first
    best weights."""
    paths = [directory / name for name in ARCHIVES]
    damaged = [path for path in paths if path.exists() and not is_whole(path)]
    best, checkpoint = paths
    return [best, *damaged] if checkpoint.exists() and not best.exists() else damaged


def drop_results(directory: Path, *, archives: bool = False) -> None:
    """Delete the results of a run that must go on; with its archives, it begins anew.

    The checkpoint holds the epoch of the best weights, so that each archive needs the other.
    """
    for name in (METRICS, TEST, *(ARCHIVES if archives else ())):
        (directory / name).unlink(missing_ok=True)


def train_without_damage(directory: Path, train: Callable[[], Result]) -> Result:
    """`train()`, once more and from the start if an archive of the run in `directory` proves to be of another."""
    try:
        return train()
    except DamagedFileError as error:
        if error.path.parent != directory:
            raise
        logger.info(quarantine(directory, error.path, "the run begins anew"))
        drop_results(directory, archives=True)
        return train()


def quarantine(root: Path, path: Path, consequence: str) -> str:
    """Move `path` to `root`/quarantine, beside earlier ones of its name; returns a line that says so."""
    relative = path.relative_to(root)
    if not path.exists():
        return f"note: {relative} is missing; {consequence}."
    place = root / QUARANTINE / relative
    while place.exists():
        place = place.with_name(place.name + "~")
    place.parent.mkdir(parents=True, exist_ok=True)
    path.rename(place)
    return f"note: {path} was damaged and is now {place}; {consequence}."
