"""Image classification sets of TensorFlow Datasets (TFDS) by name, such as `cifar10` or `emnist/letters`."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_cnn.data import array_store, tfds_lookup
from keras_cnn.data.dataset import RawSplits, Split
from keras_cnn.data.decode import mixed_sizes, resize
from keras_cnn.data.progress import track
from keras_cnn.errors import InputError

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_datasets as tfds

BATCH = 1024  # images read at a time where all are of one size
PROBE = 1000  # images read to list the sizes that occur
# Sets of digits and letters, many of which change their class when mirrored.
NOT_FLIP_INVARIANT = {
    *("mnist", "mnist_corrupted", "emnist", "kmnist", "svhn_cropped"),
    *("omniglot", "binary_alpha_digits", "cmaterdb"),
}


def read(name: str, image_size: tuple[int, int] | None, download: bool) -> RawSplits:
    """Splits `train`, `validation` and `test` of a set: images and labels, in the order on disk.

    Without a labeled `test`, `validation` takes its place. Raises InputError where the set is not on disk and
    `download` is off, is no image classification, is broken, or holds several sizes and `image_size` is None.
    """
    builder = tfds_lookup.find(name, download)
    classes = _classes(name, builder)
    labeled = _labeled(name, builder)
    test = next((split for split in ("test", "validation") if split in labeled), None)
    standin = test == "validation"
    note = f"{name} has no labeled test split: its validation split serves as test"
    own = "validation" in labeled and not standin
    return RawSplits(
        classes,
        _load(name, builder, "train", image_size),
        _load(name, builder, "validation", image_size) if own else None,
        (lambda: _load(name, builder, test, image_size)) if test else None,
        flip_invariant=builder.name not in NOT_FLIP_INVARIANT,
        notes=(note,) if standin else (),
        license=_license(builder.info),
    )


def _license(info: "tfds.core.DatasetInfo") -> str:
    """The license as TFDS has it, or the home page."""
    known = info.redistribution_info and info.redistribution_info.license
    return known or (f"see {info.homepage}" if info.homepage else "")


def _classes(name: str, builder: "tfds.core.DatasetBuilder") -> tuple[str, ...]:
    """Class names of a set that holds an `image` of 8 bits and a `label`; InputError where it does not."""
    from tensorflow_datasets import features

    found = builder.info.features
    kinds = dict(found.items()) if isinstance(found, features.FeaturesDict) else {}
    image, label = kinds.get("image"), kinds.get("label")
    if not (isinstance(image, features.Image) and isinstance(label, features.ClassLabel)):
        has = ", ".join(f"{key} ({type(kind).__name__})" for key, kind in sorted(kinds.items()))
        raise InputError(
            f"{name!r} is no image classification set: it needs the features image (Image) and label "
            f"(ClassLabel), but has {has or 'neither'}."
        )
    if image.np_dtype != np.uint8 or image.shape[-1] not in (1, 3):
        raise InputError(
            f"the images of {name!r} are {np.dtype(image.np_dtype).name} with {image.shape[-1]} channels; "
            "allowed is uint8 with 1 or 3 channels."
        )
    return tuple(label.names)


def _labeled(name: str, builder: "tfds.core.DatasetBuilder") -> list[str]:
    """Splits that have labels; test splits of competitions have -1 instead."""

    def has_labels(split: str) -> bool:
        first = _dataset(builder, split, pixels=False).take(1)
        return all(example["label"] >= 0 for example in _examples(name, first))

    splits = [split for split in ("train", "validation", "test") if split in builder.info.splits]
    labeled = [split for split in splits if has_labels(split)]
    if "train" not in labeled:
        raise InputError(f"{name!r} needs a labeled split train, but has {', '.join(builder.info.splits)}.")
    return labeled


def _load(
    name: str, builder: "tfds.core.DatasetBuilder", split: str, image_size: tuple[int, int] | None
) -> Split:
    dataset = _dataset(builder, split)
    count = builder.info.splits[split].num_examples
    batches = dataset.batch(BATCH if dataset.element_spec["image"].shape.is_fully_defined() else 1)
    images, labels, row = np.empty((0, 0, 0, 0), np.uint8), np.empty(count, np.int64), 0
    for batch in track(_examples(name, batches), f"reading {split} of {name}", len(batches)):
        pixels = batch["image"]
        if image_size:
            pixels = np.stack([resize(image, image_size) for image in pixels])
        if row == 0:
            images = array_store.empty((count, *pixels.shape[1:]))
        if pixels.shape[1:] != images.shape[1:]:
            raise mixed_sizes(name, {pixels.shape[1:3], *_first_sizes(name, dataset)})
        rows = slice(row, row := row + len(pixels))
        images[rows], labels[rows] = pixels, batch["label"]
    return Split(images, labels)


def _first_sizes(name: str, dataset: "tf.data.Dataset") -> set[tuple[int, int]]:
    return {example["image"].shape[:2] for example in _examples(name, dataset.take(PROBE))}


def _dataset(builder: "tfds.core.DatasetBuilder", split: str, pixels: bool = True) -> "tf.data.Dataset":
    """`image` (as its file's bytes unless `pixels`) and `label`, in the order on disk whatever the threads."""
    import tensorflow_datasets as tfds

    threads = os.cpu_count() or 1
    config = tfds.ReadConfig(
        try_autocache=False,  # the images are kept as arrays
        interleave_cycle_length=1,
        num_parallel_calls_for_decode=threads,
        num_parallel_calls_for_interleave_files=1,
    )
    config.options.deterministic = True
    config.options.autotune.enabled = False
    skipped = {
        key: tfds.decode.SkipDecoding()
        for key, kind in builder.info.features.items()
        if isinstance(kind, tfds.features.Image) and not (pixels and key == "image")
    }
    dataset = builder.as_dataset(split=split, read_config=config, decoders=skipped)
    return dataset.map(lambda example: {key: example[key] for key in ("image", "label")}, threads)


def _examples(name: str, dataset: "tf.data.Dataset") -> Iterator[dict]:
    import tensorflow as tf

    try:
        yield from dataset.as_numpy_iterator()
    except tf.errors.OpError as error:
        raise InputError(
            f"the files of {name!r} in {tfds_lookup.data_dir()} cannot be read ({str(error).splitlines()[0]}). "
            "Remove them and fetch the set again with --download."
        ) from error
