"""Data frames of paths and labels as data."""

import numpy as np
import pytest
from PIL import Image

from keras_cnn.data.sources import load
from keras_cnn.errors import InputError


class Frame:
    """What pandas and Polars have in common, as far as it is used."""

    def __init__(self, **columns):
        self._columns, self.columns = columns, list(columns)
        self.shape = len(next(iter(columns.values()))), len(columns)

    def __getitem__(self, name):
        return self._columns[name]


@pytest.fixture
def files(tmp_path) -> list[str]:
    """Twenty gray images of 6 x 4 pixels, each of one value."""
    paths = [tmp_path / f"{number}.png" for number in range(20)]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((6, 4), 10 * number, np.uint8)).save(path)
    return [str(path) for path in paths]


NAMES = ["dog", "cat"] * 10


@pytest.mark.parametrize("kind", [Frame, "pandas"])
def test_frame_of_paths_and_labels_is_read_as_the_arrays_in_its_files(kind, files):
    make = (lambda **columns: pytest.importorskip("pandas").DataFrame(columns)) if kind == "pandas" else kind
    found = load(make(id=list(range(20)), Path=files, label=NAMES))
    images = np.repeat(10 * np.arange(20, dtype=np.uint8), 24).reshape(20, 6, 4)
    expected = load((images, NAMES))
    assert found.facts == expected.facts and found.facts.classes == ("cat", "dog")
    np.testing.assert_array_equal(found.train.images, expected.train.images)
    np.testing.assert_array_equal(found.train.labels, expected.train.labels)


def test_frames_of_splits_are_resized_and_of_one_color(files, tmp_path):
    Image.new("RGB", (9, 9), (255, 0, 0)).save(tmp_path / "red.png")
    test = Frame(image=[tmp_path / "red.png"] * 2, target=["cat", "dog"])
    found = load((Frame(file=files, target=NAMES), None, test), image_size=(3, 2))
    assert found.facts.shape == (3, 2, 3)
    assert (found.load_test().images == [255, 0, 0]).all() and len(found.load_test()) == 2


def test_frame_that_cannot_be_read_is_refused_in_one_line(files, tmp_path):
    (tmp_path / "0.png").write_bytes(b"no image")
    for columns, message in (
        ({"path": files, "name": NAMES}, "0 columns called label, class, target, category among path, name"),
        ({"path": files, "file": files, "label": NAMES}, "2 columns called path, file"),
        ({"path": files, "label": [None, *NAMES[1:]]}, "1 rows of the train data frame have no label"),
        ({"path": [3] * 20, "label": NAMES}, "column path of the train data frame holds 3"),
        ({"path": files, "label": NAMES}, "1 of 20 files of the train data frame cannot be read"),
        ({"path": ["gone.png"] * 2, "label": NAMES[:2]}, "there is no file 'gone.png'"),
        ({"path": [], "label": []}, "has no rows"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            load(Frame(**columns))
        assert "\n" not in str(caught.value)
    Image.new("L", (9, 9)).save(tmp_path / "0.png")
    with pytest.raises(InputError, match=r"differ in size, from 6 x 4 to 9 x 9"):
        load(Frame(path=files, label=NAMES))
