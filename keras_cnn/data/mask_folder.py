"""Images with a mask each, for segmentation: folders `image` and `label`, or those two in train, val and test."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import RawSplits, Split, listing
from keras_cnn.data.decode import decode, decode_mask, header, mixed_sizes, resize, resize_nearest
from keras_cnn.data.mask_classes import mask_classes
from keras_cnn.data.progress import parallel
from keras_cnn.data.split_folders import SPLITS
from keras_cnn.errors import InputError

NAMED = 100  # mismatches listed in one message


@dataclass(frozen=True)
class Pair:
    """An image file and its mask, and what they say. size: (height, width) of both. values: numbers in the mask."""

    image: Path
    label: Path
    gray: bool = True
    size: tuple[int, int] = (0, 0)
    values: frozenset[int] = frozenset()


def read(root: Path, image_size: tuple[int, int] | None) -> RawSplits:
    """Every split of `root`: images uint8 (N, H, W, C) and masks uint8 (N, H, W) of classes.

    A mask has the stem of its image; `mask_classes` has the meaning of its numbers. Images become gray where every one
    is, else RGB; masks are resized to the nearest pixel. Raises InputError that names every pair that does not
    match or cannot be read, and for images of several sizes where `image_size`, (height, width), is None.
    """
    matched = {split: _match(folder) for split, folder in _layout(root).items()}
    looked = {
        split: _checked(root, parallel(_look, pairs, f"checking {split}")) for split, pairs in matched.items()
    }
    every = [pair for pairs in looked.values() for pair in pairs]
    classes, table = mask_classes(root, {pair.label: pair.values for pair in every})
    sizes = {pair.size for pair in every}
    if image_size is None and len(sizes) > 1:
        raise mixed_sizes(f"pairs:{root}", sizes)
    size, channels = image_size or next(iter(sizes)), 1 if all(pair.gray for pair in every) else 3
    splits = {split: _read(root, pairs, size, channels, table) for split, pairs in looked.items()}
    test = splits.get("test")
    return RawSplits(
        classes,
        splits["train"],
        splits.get("validation"),
        (lambda: splits["test"]) if test else None,
        np.bincount(test.labels.ravel(), minlength=len(classes)).tolist() if test else None,
        task="segmentation",
    )


def _layout(root: Path) -> dict[str, Path]:
    """Split -> the folder that holds its `image` and `label`; train may be `root` itself."""
    found = {SPLITS[name]: root / name for name in SPLITS if (root / name).is_dir()}
    if "train" not in found:
        found = {"train": root, **found}
    for folder in found.values():
        missing = [name for name in ("image", "label") if not (folder / name).is_dir()]
        if missing:
            raise InputError(
                f"{str(folder)!r} has no folder {' and no folder '.join(missing)}. Give pairs:PATH with folders image "
                "and label in it, or with train, val and test folders of those two."
            )
    return found


def _match(folder: Path) -> list[Pair]:
    """Images and masks of one stem, by number where stems are such: 2 before 10."""
    found = {name: _by_stem(folder / name) for name in ("image", "label")}
    images, labels = found["image"], found["label"]
    alone = [f"image {stem} has no label" for stem in sorted(images.keys() - labels.keys())]
    alone += [f"label {stem} has no image" for stem in sorted(labels.keys() - images.keys())]
    if alone or not images:
        what = listing(alone, NAMED) or "there are no images"
        raise InputError(
            f"{str(folder)!r}: {what}. Each image needs a label of the same name, but for its ending."
        )
    return [Pair(images[stem], labels[stem]) for stem in sorted(images, key=lambda stem: (len(stem), stem))]


def _by_stem(folder: Path) -> dict[str, Path]:
    paths = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    found = {path.stem: path for path in paths}
    double = sorted(path.name for path in paths if found[path.stem] != path)
    if double:
        raise InputError(
            f"{str(folder)!r} holds another file of the same stem as {listing(double, NAMED)}. Keep one."
        )
    return found


def _look(pair: Pair) -> Pair | str:
    """The pair with what its files say, or what is wrong with them."""
    try:
        head, mask = header(pair.image), decode_mask(pair.label)
        pages = max(head.pages, header(pair.label).pages)
    except InputError as error:
        return str(error).rstrip(".")
    if pages > 1:
        return f"{pair.image.stem} has {pages} pages: save each as a separate file"
    if head.size != mask.shape:
        (h, w), (tall, wide) = head.size, mask.shape
        return f"{pair.image.name} is {h} x {w}, its label {tall} x {wide} (height x width)"
    return Pair(pair.image, pair.label, head.gray, head.size, frozenset(np.unique(mask).tolist()))


def _checked(root: Path, looked: list[Pair | str]) -> list[Pair]:
    wrong = [found for found in looked if isinstance(found, str)]
    if wrong:
        raise InputError(
            f"pairs:{root}: {len(wrong)} of {len(looked)} pairs do not fit: {listing(wrong, NAMED)}."
        )
    return [found for found in looked if isinstance(found, Pair)]


def _read(root: Path, pairs: list[Pair], size: tuple[int, int], channels: int, table: np.ndarray) -> Split:
    """Pixels and classes. table: (256,), the class of each number in a mask."""
    images, masks = array_store.empty((len(pairs), *size, channels)), array_store.empty((len(pairs), *size))

    def fill(row: int) -> Pair | str:
        try:
            images[row] = resize(decode(pairs[row].image, channels), size)
        except InputError as error:  # the header was fine, the pixels are not
            return str(error).rstrip(".")
        mask = table[decode_mask(pairs[row].label)]
        masks[row] = resize_nearest(mask, size)
        return pairs[row]

    _checked(root, parallel(fill, range(len(pairs)), "reading images and masks"))
    return Split(images, masks)
