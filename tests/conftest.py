"""One TensorFlow for the whole suite, with the CPU split in two so that strategies have replicas."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import hypothesis
import numpy as np
import pytest

from keras_cnn.tensorflow_import import import_tensorflow

import_tensorflow()

import tensorflow as tf
from PIL import Image

from keras_cnn.data.dataset import DataFacts, ImageData, Split
from keras_cnn.data.pixel_statistics import mean_and_variance
from keras_cnn.training.strategy import get_strategy

# a slow machine is no error
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")


class Program:
    """`python -m MODULE` in a folder, as a user runs it."""

    def __init__(self, module: str):
        self._module = module

    def start(self, *arguments: object, folder: Path) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", self._module, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a shell that starts the suite in the background has SIGINT ignored, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def __call__(self, *arguments: object, folder: Path) -> subprocess.CompletedProcess:
        process = self.start(*arguments, folder=folder)
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


@pytest.fixture(scope="session")
def keras_cnn() -> Program:
    return Program("keras_cnn")


@pytest.fixture(scope="session")
def tuning() -> Program:
    return Program("tuning")


@pytest.fixture(scope="session", autouse=True)
def two_devices() -> tf.distribute.Strategy:
    """The process's MirroredStrategy, over two logical CPUs; made before anything computes."""
    return get_strategy(2)


@pytest.fixture(scope="session")
def one_device() -> tf.distribute.Strategy:
    return tf.distribute.get_strategy()


def make_data(train: int = 192, validation: int = 64, side: int = 16, channels: int = 3) -> ImageData:
    """Images of two classes that any net can tell apart: the left or the right half is brighter."""
    random = np.random.default_rng(0)

    def split(count: int) -> Split:
        labels = np.arange(count) % 2
        images = random.integers(0, 160, (count, side, side, channels))
        for image, label in zip(images, labels, strict=True):
            image[:, label * side // 2 : (label + 1) * side // 2] += 90
        return Split(images.astype(np.uint8), labels.astype(np.int64))

    parts, test = {"train": split(train), "validation": split(validation)}, split(50)
    counts = {name: np.bincount(part.labels).tolist() for name, part in parts.items()}
    mean, variance = mean_and_variance(parts["train"].images)
    facts = DataFacts(
        "halves", (side, side, channels), ("left", "right"), counts, mean, variance, flip_invariant=False
    )
    return ImageData(facts, parts["train"], parts["validation"], lambda: test)


@pytest.fixture(scope="session")
def data() -> ImageData:
    return make_data()


@pytest.fixture(scope="session")
def few_large_data() -> ImageData:
    """The same in 32x32, the size every architecture takes: 64 images to train on, 30 beside."""
    return make_data(train=64, validation=30, side=32)


@pytest.fixture(scope="session")
def mask_data() -> ImageData:
    """Noise with a brighter disc in it, and masks of the disc: 24 images of 24x32 to train on, 6 and 4 beside."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:24, :32]

    def split(count: int) -> Split:
        places = zip(random.uniform(4, 20, count), random.uniform(4, 28, count), strict=True)
        masks = np.stack([(rows - y) ** 2 + (columns - x) ** 2 < 36 for y, x in places]).astype(np.uint8)
        images = random.integers(0, 140, masks.shape) + 90 * masks
        return Split(images[..., None].astype(np.uint8), masks)

    parts, test = {"train": split(24), "validation": split(6)}, split(4)
    counts = {name: np.bincount(part.labels.ravel()).tolist() for name, part in parts.items()}
    mean, variance = mean_and_variance(parts["train"].images)
    facts = DataFacts("discs", (24, 32, 1), ("sky", "disc"), counts, mean, variance, task="segmentation")
    return ImageData(facts, parts["train"], parts["validation"], lambda: test)


def write_pairs(root: Path, split: Split) -> None:
    """Folders image and label below `root`, as `pairs:` reads them; the mask's numbers are 0 and 255."""
    for name, pixels in (("image", split.images[..., 0]), ("label", split.labels * 255)):
        (root / name).mkdir(parents=True)
        for index, image in enumerate(pixels):
            Image.fromarray(image).save(root / name / f"{index}.png")


@pytest.fixture(scope="session")
def pairs(mask_data, tmp_path_factory) -> Path:
    """The folder of `mask_data` with train, val and test."""
    root = tmp_path_factory.mktemp("pairs")
    parts = {"train": mask_data.train, "val": mask_data.validation, "test": mask_data.load_test()}
    for name, split in parts.items():
        write_pairs(root / name, split)
    (root / "classes.txt").write_text("sky\ndisc\n")
    return root


@pytest.fixture
def complain(capsys, monkeypatch, tmp_path):
    """A function: runs a command line in an empty folder, returns its only line of error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "nothing"))

    def run(module, *arguments):
        try:
            code = module.main(list(arguments))
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        assert code == 2, captured
        error = captured.err.removeprefix("starting TensorFlow\n")
        assert error.startswith("error: ") and error.count("\n") == 1, captured.err
        assert not list(tmp_path.iterdir())
        return error

    return run


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function: the folder `name` that `make(folder)` has filled, once for all processes of pytest-xdist.

    What is in it must not be changed: copy it first.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder_of(name: str, make) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a process that failed to make it
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return folder_of
