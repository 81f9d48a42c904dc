"""The page about a data set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_cnn.data.dataset import DataFacts, ImageData, Split
from keras_cnn.data.decode import header
from keras_cnn.data.describe import describe
from keras_cnn.data.image_files import images_below
from keras_cnn.data.pipeline import training_batches
from keras_cnn.data.progress import parallel
from keras_cnn.data.report.charts import brightness, class_counts, file_sizes
from keras_cnn.data.report.duplicates import Pair, Place, exact_pairs, near_pairs
from keras_cnn.data.report.measure import SMALL, measure_split
from keras_cnn.data.report.pictures import BATCH, Strip, batch_strips, contact_sheet, picture_of, strip
from keras_cnn.errors import InputError
from keras_cnn.files import write_text
from keras_cnn.pages.render import render
from keras_cnn.task import CLASSIFICATION, SEGMENTATION, TASKS

SHOWN = 12  # pairs and images of each kind
ON_DISK = ("folder:", "pairs:")


def write_data_report(data: ImageData, path: Path, augmentation: str = "none", seed: int = 0) -> None:
    """Write the page about `data` to `path`, which reads its test split too.

    Args:
        data: as `load` gives them.
        path: of the file.
        augmentation: of the batch that is shown, as in `TrainSettings`.
        seed: of it.
    """
    facts = data.facts
    splits = {"train": data.train, "validation": data.validation, "test": data.load_test()}
    measured = {name: measure_split(split, facts.value_range) for name, split in splits.items()}
    exact = exact_pairs(splits)
    near = near_pairs(measured, exact) if min(facts.shape[:2]) >= SMALL else None
    flat = [(name, int(row)) for name, one in measured.items() for row in one.flat]
    what = "images and masks" if facts.task == SEGMENTATION.name else "files"
    figures = [class_counts(facts), brightness(measured), file_sizes(_sizes(facts.name), facts.shape, what)]
    text = render(
        "data.html",
        "keras_cnn.data.report",
        title=f"Data {facts.name}",
        facts=describe(facts),
        found=_found(exact, near, flat, data.left_out, facts),
        figures=[figure for figure in figures if figure is not None],
        sheets=[(name, contact_sheet(name, split, facts)) for name, split in splits.items() if len(split)],
        batch=_batch(data, augmentation, seed),
        augmentation=augmentation,
        pairs=[
            ("Equal images", _pairs(exact, splits, facts)),
            ("Nearly equal images", _pairs(near or [], splits, facts)),
        ],
        flat=[
            strip(_name(place, splits, facts), [picture_of(splits[place[0]], place[1], facts)], "")
            for place in flat[:SHOWN]
        ],
        left_out=data.left_out,
    )
    write_text(path, text)


def _found(
    exact: Sequence[Pair],
    near: Sequence[Pair] | None,
    flat: Sequence[Place],
    left_out: Sequence[str],
    facts: DataFacts,
) -> list[tuple[str, str]]:
    """(what, number in words) of what may be wrong with the data."""
    return [
        ("equal images", _across(exact)),
        (
            "nearly equal images",
            f"not sought in images of less than {SMALL} pixels" if near is None else _across(near),
        ),
        ("images of nearly one color", _by_split(flat)),
        ("files left out", f"{len(left_out):,}"),
        *(("note", note) for note in facts.notes),
    ]


def _across(pairs: Sequence[Pair]) -> str:
    kinds = Counter(tuple(sorted((pair.first[0], pair.second[0]))) for pair in pairs if pair.across)
    across = "; ".join(
        f"{count:,} across {a} and {b}, which may flatter the score" for (a, b), count in kinds.items()
    )
    return f"{len(pairs):,} pairs" + (f": {across}" if across else "")


def _by_split(places: Sequence[Place]) -> str:
    counts = Counter(name for name, _ in places)
    return f"{len(places):,}" + (
        f" ({', '.join(f'{n:,} in {name}' for name, n in counts.items())})" if places else ""
    )


def _pairs(pairs: Sequence[Pair], splits: dict[str, Split], facts: DataFacts) -> list[Strip]:
    """The first of `pairs`, those across splits first, as pictures."""
    chosen = sorted(pairs, key=lambda pair: not pair.across)[:SHOWN]
    return [
        strip(
            f"{_name(pair.first, splits, facts)} and {_name(pair.second, splits, facts)}",
            [picture_of(splits[name], row, facts) for name, row in (pair.first, pair.second)],
            "two images that are equal or nearly so",
        )
        for pair in chosen
    ]


def _name(place: Place, splits: dict[str, Split], facts: DataFacts) -> str:
    """Split, row, and class if an image has one."""
    name, row = place
    if facts.task != CLASSIFICATION.name:
        return f"{name} {row}"
    return f"{name} {row} ({facts.classes[splits[name].labels[row]]})"


def _batch(data: ImageData, augmentation: str, seed: int) -> list[Strip]:
    """A training batch; nothing of masks, which are cut to windows whose size the net decides."""
    task = TASKS[data.facts.task]
    if task == SEGMENTATION or not len(data.train):
        return []
    batches = training_batches(
        data.train,
        min(BATCH, len(data.train)),
        epochs=1,
        seed=seed,
        augmentation=augmentation,
        classes=len(data.facts.classes),
        value_range=data.facts.value_range,
    )
    images, *_ = next(iter(batches))
    return batch_strips(np.asarray(images), data.facts)


def _sizes(name: str) -> list[tuple[int, int]]:
    """(height, width) of the image files of a source on disk."""
    kind = next((kind for kind in ON_DISK if name.startswith(kind)), None)
    if kind is None:
        return []
    return list(_readable(images_below(Path(name.removeprefix(kind)))))


def _readable(paths: Sequence[Path]) -> Iterator[tuple[int, int]]:
    def size(path: Path) -> tuple[int, int] | None:
        try:
            return header(path).size
        except InputError:  # it is among the files left out
            return None

    yield from (one for one in parallel(size, list(paths), "reading sizes") if one is not None)
