"""Images with a mask each, for segmentation: folders `image` and `label`, or those two in train, val and test."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from keras_cnn.data import array_store
from keras_cnn.data.dataset import RawSplits, Split, listing
from keras_cnn.data.decode import FORMATS, decode, header, mixed_sizes, resize_nearest
from keras_cnn.data.image_files import files_below, sub_folders
from keras_cnn.data.mask_classes import mask_classes
from keras_cnn.data.mask_errors import colored_masks, different_palettes
from keras_cnn.data.mask_file import ColoredMask, LossyMask, decode_mask, palette_colors
from keras_cnn.data.progress import parallel
from keras_cnn.data.split_names import HINT, by_split, check_folder, left_out
from keras_cnn.errors import InputError

PARTS = ("image", "label")
NAMED = 100  # mismatches listed in one message


@dataclass(frozen=True)
class Pair:
    """An image file and its mask, and what they say.

    Args:
        size: (height, width) of both.
        values: numbers in the mask.
        palette: their colors, if the mask has a palette.
        wrong: what kind of mask it is, if its numbers are no classes.
    """

    image: Path
    label: Path
    gray: bool = True
    size: tuple[int, int] = (0, 0)
    values: frozenset[int] = frozenset()
    palette: dict[int, tuple[int, ...]] = field(default_factory=dict)
    wrong: type[InputError] | None = None


def read(root: Path, image_size: tuple[int, int] | None) -> RawSplits:
    """Every split of `root`: images uint8 (N, H, W, C) and masks uint8 (N, H, W) of classes.

    A mask has the path of its image, but for the ending; `mask_classes` has the meaning of its numbers. Images become
    gray where every one is, else RGB; masks are resized to the nearest pixel. Raises InputError that names every pair
    that does not match or cannot be read, and for images of several sizes where `image_size`, (height, width), is None.
    """
    folders, notes = _layout(root)
    matched = {split: _match(folder) for split, folder in folders.items()}
    looked = {
        split: _checked(root, parallel(_look, pairs, f"checking {split}")) for split, pairs in matched.items()
    }
    every = [pair for pairs in looked.values() for pair in pairs]
    _check_masks(root, every)
    classes = mask_classes(root, {pair.label: pair.values for pair in every})
    sizes = {pair.size for pair in every}
    if image_size is None and len(sizes) > 1:
        raise mixed_sizes(f"pairs:{root}", sizes)
    size, channels = image_size or next(iter(sizes)), 1 if all(pair.gray for pair in every) else 3
    splits = {split: _read(root, pairs, size, channels, classes.table) for split, pairs in looked.items()}
    test = splits.get("test")
    return RawSplits(
        classes.names,
        splits["train"],
        splits.get("validation"),
        (lambda: splits["test"]) if test else None,
        np.bincount(test.labels.ravel(), minlength=len(classes.names)).tolist() if test else None,
        task="segmentation",
        notes=(*notes, *classes.notes),
    )


def _layout(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Split -> the folder that holds its `image` and `label`, and the note on other folders; train may be `root`."""
    check_folder(root, "pairs:PATH, with folders image and label in it")
    found = by_split(root)
    others = [root / name for name in sub_folders(root) if root / name not in found.values()]
    if "train" not in found:
        found = {"train": root, **found}
        others = [folder for folder in others if folder.name not in PARTS]
    for folder in found.values():
        missing = [name for name in PARTS if not (folder / name).is_dir()]
        if missing:
            raise InputError(
                f"{str(folder)!r} has no folder {' and no folder '.join(missing)}. Give pairs:PATH with folders image "
                f"and label in it, or with train, val and test folders of those two. {HINT}"
            )
    return found, left_out(others, "split")


def _match(folder: Path) -> list[Pair]:
    """Images and masks of one stem, by number where stems are such: 2 before 10."""
    found = {name: _by_stem(folder / name) for name in PARTS}
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
    """Files by their path in `folder`, at any depth, without the ending."""
    files = [path for path in files_below(folder) if path.is_file()]  # a pipe would never end
    paths = {path: path.relative_to(folder).with_suffix("").as_posix() for path in files}
    found = {stem: path for path, stem in paths.items()}
    double = sorted(path.name for path, stem in paths.items() if found[stem] != path)
    if double:
        raise InputError(
            f"{str(folder)!r} holds another file of the same stem as {listing(double, NAMED)}. Keep one."
        )
    return found


def _look(pair: Pair) -> Pair | str:
    """The pair with what its files say, or what is wrong with them; all JPEG and all colored masks are one mistake."""
    try:
        head, mask = header(pair.image), decode_mask(pair.label)
        pages = max(head.pages, header(pair.label).pages)
    except (LossyMask, ColoredMask) as error:
        return replace(pair, wrong=type(error))
    except InputError as error:
        return _reason(error)
    if pages > 1:
        return f"{pair.image.stem} has {pages} pages: save each as a separate file"
    if head.size != mask.shape:
        (h, w), (tall, wide) = head.size, mask.shape
        return f"{pair.image.name} is {h} x {w}, its label {tall} x {wide} (height x width)"
    numbers = frozenset(np.unique(mask).tolist())
    palette = {number: color for number, color in palette_colors(pair.label).items() if number in numbers}
    return Pair(pair.image, pair.label, head.gray, head.size, numbers, palette)


def _reason(error: InputError) -> str:
    """Without the formats that are allowed, which are the same for all files."""
    return str(error).partition(" Allowed:")[0].rstrip(".")


def _checked(root: Path, looked: list[Pair | str]) -> list[Pair]:
    wrong = [found for found in looked if isinstance(found, str)]
    if wrong:
        raise InputError(
            f"pairs:{root}: {len(wrong)} of {len(looked)} pairs do not fit: {listing(wrong, NAMED)}. Allowed are "
            f"images in {', '.join(FORMATS)}, and masks in the same formats but JPEG."
        )
    return [found for found in looked if isinstance(found, Pair)]


def _check_masks(root: Path, pairs: list[Pair]) -> None:
    """Raise InputError for masks that are JPEG or colored, or whose palettes contradict each other."""
    masks = [pair.label for pair in pairs]
    for kind in (LossyMask, ColoredMask):
        if wrong := [pair.label for pair in pairs if pair.wrong is kind]:
            raise colored_masks(root, wrong, masks, lossy=kind is LossyMask)
    for number in sorted({number for pair in pairs for number in pair.palette}):
        colors = {pair.label: pair.palette[number] for pair in pairs if number in pair.palette}
        if len(set(colors.values())) > 1:
            raise different_palettes(root, number, colors, masks)


def _read(root: Path, pairs: list[Pair], size: tuple[int, int], channels: int, table: np.ndarray) -> Split:
    """Pixels and classes. table: (256,), the class of each number in a mask."""
    images, masks = array_store.empty((len(pairs), *size, channels)), array_store.empty((len(pairs), *size))

    def fill(row: int) -> Pair | str:
        try:
            images[row] = decode(pairs[row].image, channels, size)
        except InputError as error:  # the header was fine, the pixels are not
            return _reason(error)
        mask = table[decode_mask(pairs[row].label)]
        masks[row] = resize_nearest(mask, size)
        return pairs[row]

    _checked(root, parallel(fill, range(len(pairs)), "reading images and masks"))
    return Split(images, masks)
