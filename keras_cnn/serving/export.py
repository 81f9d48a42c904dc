"""Export the best weights of a run as a SavedModel that serves what was measured, and prove that it does."""

import contextlib
import functools
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_cnn.data.dataset import ImageData
from keras_cnn.data.sources import load
from keras_cnn.directories import held
from keras_cnn.errors import InputError
from keras_cnn.files import sync_folder, sync_tree, write_json, write_text
from keras_cnn.serving.card import make_card
from keras_cnn.serving.checksums import write_checksums
from keras_cnn.serving.convert import write_formats
from keras_cnn.serving.endpoints import write_saved_model
from keras_cnn.serving.formats import check_formats
from keras_cnn.serving.readme import readme
from keras_cnn.serving.verification import ServingProcess, served_difference
from keras_cnn.serving.versions import version_folders
from keras_cnn.task import REGRESSION, TASKS
from keras_cnn.training.make_model import best_model
from keras_cnn.training.results import measure_on_test
from keras_cnn.training.run_directory import Run, chosen_run, read_finished, read_run

logger = logging.getLogger(__name__)

WRITING = ".writing-"  # what the name of a version begins with until it is whole


def export_run(
    directory: Path, destination: Path, *, formats: Sequence[str] = (), data: ImageData | None = None
) -> Path:
    """Write the next numbered version below `destination` (TensorFlow Serving's layout), whole or not at all.

    Input `images`: (B, H, W, C), uint8 in 0..255 or float32 in the data's value range; output `probabilities`: float32
    (B, classes), or (B, H', W', classes) of masks, for windows of the size trained on; of regression `values`. A
    card.json in it has classes, data, settings, metrics and versions.

    Args:
        directory: of a run, or of a study, which stands for its best trial.
        destination: the folder of the versions.
        formats: names of `formats.FORMATS` to write beside it.
        data: those that the run was trained on, if they are loaded already.

    Returns:
        The version's directory.

    Raises:
        InputError: if `directory` is no finished run or a format is unknown.
        ExportMismatchError: if what is served is not what was measured.
    """
    check_formats(formats)
    with ServingProcess() as server:
        return _export(read_run(chosen_run(directory)), destination, formats, data, server)


def _export(
    run: Run, destination: Path, formats: Sequence[str], data: ImageData | None, server: ServingProcess
) -> Path:
    if formats and run.facts.task == REGRESSION.name:
        names = ", ".join(formats)
        raise InputError(
            f"{names} are for models of probabilities, not of {REGRESSION.name}: leave formats out."
        )
    metrics = read_finished(run.directory)
    model = best_model(run.settings, run.facts, run.directory)
    loaded = functools.cache(lambda: run.checked(data or load(**run.settings.load_arguments())))
    test = measure_on_test(run, lambda: loaded().load_test())
    with held(destination, wait=True), _temporary(destination) as temporary_path:
        whole_images = tuple(model.input_shape[1:]) == run.facts.shape
        write_saved_model(
            model,
            run.facts.classes,
            str(temporary_path),
            whole_images,
            run.facts.dtype,
            run.facts.value_range,
            TASKS[run.facts.task],
        )
        difference = served_difference(model, run, temporary_path, server)
        logger.info(f"served in a process without Keras: differs from predict by at most {difference:.1e}")
        others = write_formats(formats, run, loaded(), test, temporary_path) if formats else {}
        version = _next_version(destination)
        card = make_card(
            model, run, metrics, test, version.parent.name, int(version.name), difference, others
        )
        write_json(temporary_path / "card.json", card)
        write_text(temporary_path / "README.md", readme(card))
        write_checksums(temporary_path)
        temporary_path.chmod(0o755)
        sync_tree(temporary_path)
        temporary_path.rename(version)
        sync_folder(destination)
    return version


@contextlib.contextmanager
def _temporary(destination: Path) -> Iterator[Path]:
    """A folder in `destination`, which this process holds; those that killed exports have left are deleted."""
    for path in destination.glob(f"{WRITING}*"):
        shutil.rmtree(path, ignore_errors=True)
    temporary_path = Path(tempfile.mkdtemp(prefix=WRITING, dir=destination))
    try:
        yield temporary_path
    finally:
        shutil.rmtree(temporary_path, ignore_errors=True)


def _next_version(destination: Path) -> Path:
    return destination / str(max(version_folders(destination), default=0) + 1)
