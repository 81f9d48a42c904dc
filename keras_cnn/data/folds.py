"""Cross-validation: training and validation images together, cut into folds, each of which validates once.

And all of them to train on, when a configuration has been chosen.
"""

import itertools
from dataclasses import replace

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import DataFacts, ImageData, Split, count_labels, listing
from keras_cnn.data.pixel_statistics import mean_and_variance
from keras_cnn.data.splits import few_to_validate
from keras_cnn.errors import InputError
from keras_cnn.task import CLASSIFICATION

ALL = (0, 1)  # no fold validates


def fold_of(data: ImageData, fold: tuple[int, int] | None) -> ImageData:
    """`data` with other training and validation images; the test split stays.

    Args:
        data: as `load` returned them, or already so cut.
        fold: (k, n) for fold k, from 1, of n to validate on, and all others to train on: scikit-learn's
            `StratifiedKFold`, shuffled with the seed of the validation split; `KFold` where an image has no single
            class. `ALL` to train on all images, and validate on none. None for `data`.

    Returns:
        The data; mean and variance are those of its training images.
    """
    if fold is None or data.facts.fold == fold:
        return data
    from sklearn.model_selection import KFold, StratifiedKFold  # it takes a second, also of --help

    number, folds = fold
    parts = [data.train, data.validation]
    if fold == ALL:
        return _all(data, parts)
    classes = data.facts.task == CLASSIFICATION.name
    labels = np.concatenate([part.labels for part in parts]) if classes else np.zeros(sum(map(len, parts)))
    seed = data.load_arguments.get("split_seed", 0)
    splitter = (StratifiedKFold if classes else KFold)(folds, shuffle=True, random_state=seed)
    kept, held = next(itertools.islice(splitter.split(labels, labels), number - 1, None))
    train, validation = _taken(parts, kept), _taken(parts, held)
    return replace(
        data, facts=_facts(data.facts, fold, train, validation), train=train, validation=validation
    )


def _all(data: ImageData, parts: list[Split]) -> ImageData:
    train, nothing = _taken(parts, np.arange(sum(map(len, parts)))), _taken(parts, np.arange(0))
    facts = _facts(data.facts, ALL, train, nothing)
    note = "trained on the training and validation images together, so that it was not validated itself"
    return replace(data, facts=replace(facts, notes=(*facts.notes, note)), train=train, validation=nothing)


def facts_of_folds(facts: DataFacts, folds: int | None) -> DataFacts:
    """`facts` with as few training images as any fold leaves, about; without folds they stay."""
    if folds is None:
        return facts
    train, validation = (facts.counts[name] for name in ("train", "validation"))
    counts = [(a + b) * (folds - 1) // folds for a, b in zip(train, validation, strict=True)]
    sizes = facts.sizes
    if sizes:
        together = sizes["train"] + sizes["validation"]
        sizes = {**sizes, "train": together * (folds - 1) // folds}
    return replace(facts, counts={**facts.counts, "train": counts}, sizes=sizes)


def check_folds(facts: DataFacts, folds: int | None) -> list[str]:
    """Raise InputError if there are too few images for so many folds; returns notes on what folds validate on."""
    if folds is None:
        return []
    images = facts.images("train") + facts.images("validation")
    together = np.add(facts.counts["train"], facts.counts["validation"])
    classes = facts.task == CLASSIFICATION.name
    most = int(together.max()) if classes else images
    if most < folds:
        of = " of the largest class" if classes else ""
        raise InputError(
            f"folds={folds} are more than the {most} images{of} of train and validation in {facts.name}: take fewer."
        )
    few = [name for name, count in zip(facts.classes, together, strict=True) if 0 < count < folds]
    notes = [
        f"{folds} folds of the {images} images of train and validation; --validation_split does not matter"
    ]
    if classes and few:
        notes.append(
            f"{len(few)} classes have fewer than {folds} images, so that some folds lack them: {listing(few)}"
        )
    return notes


def _taken(parts: list[Split], rows: np.ndarray) -> Split:
    """The images and labels at these rows, in rising order, of the parts one after the other."""
    first = len(parts[0])
    places = [rows[rows < first], rows[rows >= first] - first]
    return Split(
        array_store.join([(part.images, place) for part, place in zip(parts, places, strict=True)]),
        array_store.join([(part.labels, place) for part, place in zip(parts, places, strict=True)]),
    )


def _facts(facts: DataFacts, fold: tuple[int, int], train: Split, validation: Split) -> DataFacts:
    parts = {"train": train, "validation": validation}
    counts = {
        name: count_labels(split.labels, len(facts.classes), facts.task) for name, split in parts.items()
    }
    sizes = facts.sizes and {**facts.sizes, **{name: len(split) for name, split in parts.items()}}
    mean, variance = mean_and_variance(train.images)
    return replace(
        facts,
        counts={**facts.counts, **counts},
        sizes=sizes,
        mean=mean,
        variance=variance,
        notes=notes_of_folds(facts),
        fold=fold,
    )


def notes_of_folds(facts: DataFacts) -> tuple[str, ...]:
    """The notes on the data but that on their own validation split, which folds replace."""
    few = few_to_validate(facts.images("validation"))
    return tuple(note for note in facts.notes if note not in few)
