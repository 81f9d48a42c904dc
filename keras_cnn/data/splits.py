"""Train, validation and test of a source: its own where it has them, cut class by class where not."""

from dataclasses import replace

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import DataFacts, ImageData, RawSplits, Split, count_labels, listing
from keras_cnn.data.pixel_statistics import mean_and_variance
from keras_cnn.errors import InputError
from keras_cnn.task import CLASSIFICATION, TASKS

# validation images; with fewer, two standard errors of an accuracy of 0.8 are more than 0.08
MIN_VALIDATION, USUAL_ACCURACY = 100, 0.8
TEST_SPLIT, TEST_SEED = 0.2, 0  # fixed, so that the test images are the same whatever the `split_seed`


def assemble(name: str, raw: RawSplits, validation_split: float, split_seed: int) -> ImageData:
    """Cuts what `raw` lacks out of its train images, test first, and gathers the facts.

    validation_split: share of the train images, within (0, 1). Raises InputError where fewer than two classes
    have images, where a split stays empty, or where the images of the splits differ in shape.
    """
    _check_classes(name, raw)
    if raw.load_test is None:
        raw = _hold_out_test(name, raw)
    train, validation, load_test = raw.train, raw.validation, raw.load_test
    assert load_test is not None
    if validation is None:
        train, validation = _cut(train, validation_split, split_seed)
    _check(validation, name, "validation", train)

    def load_checked_test() -> Split:
        return _check(load_test(), name, "test", train)

    return ImageData(_facts(name, raw, train, validation), train, validation, load_checked_test, raw.left_out)


def stratify(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the labels (N,) kept and held out: `fraction` of every class is held, each in rising order.

    A class of two or more has at least one on either side; a single one is kept.
    """
    random = np.random.RandomState(seed)  # its stream is frozen; that of `default_rng` may change with NumPy
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        share = min(max(round(fraction * len(members)), 1), len(members) - 1)
        held[members[:share]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _cut(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    several = split.labels.ndim > 1  # masks, or rows: no class of the image to stratify by
    kept, held = stratify(np.zeros(len(split), int) if several else split.labels, fraction, seed)
    train, rest = (
        Split(
            array_store.take(split.images, rows),
            array_store.take(split.labels, rows) if several else split.labels[rows],
        )
        for rows in (kept, held)
    )
    return train, rest


def _hold_out_test(name: str, raw: RawSplits) -> RawSplits:
    train, test = _cut(raw.train, TEST_SPLIT, TEST_SEED)
    _check(test, name, "test", train)
    share = f"{TEST_SPLIT:.0%}" + (" of every class" if raw.task == CLASSIFICATION.name else "")
    note = f"{name} has no test split: {len(test)} images, {share}, are held out as test"
    counts = _counts(test, raw)
    return replace(raw, train=train, load_test=lambda: test, test_counts=counts, notes=(*raw.notes, note))


def _facts(name: str, raw: RawSplits, train: Split, validation: Split) -> DataFacts:
    counts = {"train": _counts(train, raw), "validation": _counts(validation, raw)}
    missing = [repr(label) for label, count in zip(raw.classes, counts["train"], strict=True) if not count]
    notes = raw.notes
    if missing:
        notes += (
            f"no train image of {len(missing)} of {len(raw.classes)} {TASKS[raw.task].noun}: {listing(missing)}",
        )
    if raw.test_counts is not None:
        counts["test"] = raw.test_counts
    if raw.task == CLASSIFICATION.name:
        notes += few_to_validate(len(validation))
    mean, variance = mean_and_variance(train.images)
    return DataFacts(
        name=name,
        shape=train.images.shape[1:],
        classes=raw.classes,
        counts=counts,
        mean=mean,
        variance=variance,
        flip_invariant=raw.flip_invariant,
        task=raw.task,
        notes=notes,
        license=raw.license,
        value_range=raw.value_range,
        dtype=str(train.images.dtype),
        checksum=raw.checksum,
        sizes={} if TASKS[raw.task].class_ids else _sizes(raw, train, validation),
    )


def _sizes(raw: RawSplits, train: Split, validation: Split) -> dict[str, int]:
    assert raw.load_test is not None
    test = raw.load_test()  # in memory: rows come from arrays alone
    return {"train": len(train), "validation": len(validation), "test": len(test)}


def few_to_validate(images: int) -> tuple[str, ...]:
    """The note on a validation split that is too small to rank models by; the standard error is the binomial one."""
    if images >= MIN_VALIDATION:
        return ()
    error = (USUAL_ACCURACY * (1 - USUAL_ACCURACY) / images) ** 0.5
    return (
        f"{images} validation images are few to rank models by: an accuracy of {USUAL_ACCURACY} has a standard error "
        f"of sqrt({USUAL_ACCURACY} x {1 - USUAL_ACCURACY:.1f} / {images}) = {error:.2f}, so differences below about "
        f"{2 * error:.2f} may be chance; add images, or raise --validation_split",
    )


def _counts(split: Split, raw: RawSplits) -> list[int]:
    return count_labels(split.labels, len(raw.classes), raw.task)


def _check_classes(name: str, raw: RawSplits) -> None:
    if not TASKS[raw.task].class_ids:
        if not np.ptp(raw.train.labels, axis=0).any():
            raise InputError(
                f"all train labels of {name!r} are {raw.train.labels[:1].tolist()}: nothing can be learned."
            )
        return
    present = [raw.classes[label] for label in np.unique(raw.train.labels)]
    if len(present) < 2:
        found = f"those of {present[0]!r} alone" if present else "none"
        raise InputError(f"{name!r} needs train images of two classes or more, but has {found}.")


def _check(split: Split, name: str, role: str, train: Split) -> Split:
    """`split` itself, if it has images and they are of the shape of those of train."""
    if not len(split):
        raise InputError(
            f"no image is left for the {role} split of {name!r}: provide images for it, "
            "or some class of train two or more."
        )
    if split.images.shape[1:] != train.images.shape[1:]:
        raise InputError(
            f"the {role} images of {name!r} are {split.images.shape[1:]}, those of train "
            f"{train.images.shape[1:]} (height, width, channels). Give one size, e.g. --image_size 96 96."
        )
    return split
