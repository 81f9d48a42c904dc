"""Images that are equal, or nearly so, within a split and across splits."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from keras_cnn.data.dataset import Split
from keras_cnn.data.report.measure import FLAT_STD, Measured

# of two gray copies, after centering: root of the mean squared difference / standard deviation. On CIFAR-10 all of 96
# pairs that were looked at, of 519 up to 0.6, show the same picture (November 2026)
NEAR_RATIO = 0.4
BITS, BANDS = 64, 8  # of a hash; two that differ in fewer bits than there are bands agree in one of these
MAX_BUCKET = 600  # images that agree in a band; more are alike in a way that says nothing
MIN_TEXTURE = (
    0.6  # share of the fields of a hash that differ from their neighbor by a gray level; letters have less
)

Place = tuple[str, int]  # split and row


@dataclass(frozen=True)
class Pair:
    """Two images. distance: 0 of equal ones, else as NEAR_RATIO has it."""

    first: Place
    second: Place
    distance: float

    @property
    def across(self) -> bool:
        """Whether they are in two splits."""
        return self.first[0] != self.second[0]


def exact_pairs(splits: Mapping[str, Split]) -> list[Pair]:
    """Each image whose pixels an earlier one has, with that one."""
    first: dict[bytes, Place] = {}
    found = []
    for name, split in splits.items():
        for row in range(len(split)):
            digest = hashlib.blake2b(np.ascontiguousarray(split.images[row]).data, digest_size=16).digest()
            place = first.setdefault(digest, (name, row))
            if place != (name, row):
                found.append(Pair(place, (name, row), 0.0))
    return found


def near_pairs(measured: Mapping[str, Measured], exact: Iterable[Pair]) -> list[Pair]:
    """Pairs of images that are nearly equal, the nearest first, without those that are equal.

    Candidates have difference hashes (Krawetz 2013, "Kind of Like That") that differ in fewer than BANDS of 64 bits;
    their gray copies must be as near as NEAR_RATIO. Images of nearly one color, letters and drawings on an even ground,
    and images smaller than the gray copies are left out: many of them are alike without being copies.
    """
    copies = {pair.second for pair in exact}
    places = [
        (name, row)
        for name, one in measured.items()
        for row in np.flatnonzero((one.std >= FLAT_STD) & is_textured(one.small)).tolist()
        if (name, row) not in copies
    ]
    if not places:
        return []
    small = np.stack([measured[name].small[row] for name, row in places])
    hashes = difference_hashes(small)
    centered = (small - small.mean(axis=(1, 2), keepdims=True)).reshape(len(small), -1)
    found = {}
    for a, b in _candidates(hashes):
        distance = float(np.sqrt(np.mean((centered[a] - centered[b]) ** 2)) / max(1.0, centered[a].std()))
        if distance <= NEAR_RATIO:
            found[a, b] = Pair(places[a], places[b], distance)
    return sorted(found.values(), key=lambda pair: pair.distance)


def difference_hashes(small: np.ndarray) -> np.ndarray:
    """uint64 (N,): whether each of 8x8 fields is brighter than the one to its left. small: (N, 16, 16)."""
    return np.packbits(_differences(small) > 0, axis=1).view(np.uint64)[:, 0]


def is_textured(small: np.ndarray) -> np.ndarray:
    """Whether most fields of each image differ, bool (N,): of others a hash says little. small: (N, 16, 16)."""
    return (np.abs(_differences(small)) >= 1).mean(axis=1) >= MIN_TEXTURE


def _differences(small: np.ndarray) -> np.ndarray:
    """(N, 64): each of 8x8 fields less the one to its left."""
    rows = small.reshape(len(small), 8, 2, 16).mean(axis=2)
    fields = np.take(rows, np.linspace(0, 15, 9).astype(int), axis=2)
    return np.diff(fields, axis=2).reshape(len(small), BITS)


def _candidates(hashes: np.ndarray) -> Iterable[tuple[int, int]]:
    width = BITS // BANDS
    for band in range(BANDS):
        keys = (hashes >> np.uint64(band * width)) & np.uint64((1 << width) - 1)
        buckets: dict[int, list[int]] = defaultdict(list)
        for place, key in enumerate(keys.tolist()):
            buckets[key].append(place)
        for members in buckets.values():
            if 1 < len(members) <= MAX_BUCKET:
                yield from _near(np.array(members), hashes)


def _near(members: np.ndarray, hashes: np.ndarray) -> Iterable[tuple[int, int]]:
    differing = np.bitwise_count(hashes[members][:, None] ^ hashes[members][None])
    for a, b in np.argwhere(np.triu(differing < BANDS, 1)).tolist():
        yield int(members[a]), int(members[b])
