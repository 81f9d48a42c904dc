"""Arrays, tf.data and PyDataset as data: the same splits as from files, and one line for what cannot be used."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_cnn.data.dataset import DataFacts
from keras_cnn.data.sources import load
from keras_cnn.data.value_range import find_value_range
from keras_cnn.errors import InputError


def noise(count: int = 60, shape: tuple[int, ...] = (8, 8, 3), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


X, Y = noise(), np.arange(60) % 3


def assert_equal(one, other) -> None:
    """The same splits, whatever the data are called."""
    for first, second in ((one.train, other.train), (one.validation, other.validation)):
        np.testing.assert_array_equal(first.images, second.images)
        np.testing.assert_array_equal(first.labels, second.labels)
        assert first.images.dtype == second.images.dtype and first.labels.dtype == second.labels.dtype
    np.testing.assert_array_equal(one.load_test().images, other.load_test().images)


def test_load_arrays_of_the_digits_equals_the_digits():
    from keras_cnn.data import digits

    raw = digits.read(None)
    found, known = load((raw.train.images, raw.train.labels)), load("digits")
    assert_equal(found, known)
    same = {
        name: getattr(known.facts, name) for name in ("shape", "classes", "counts", "mean", "flip_invariant")
    }
    assert same == {name: getattr(found.facts, name) for name in same}
    assert found.facts.name == "arrays" and len(found.facts.checksum) == 64


def test_load_arrays_equals_the_same_images_in_a_folder(tmp_path):
    order = np.argsort(Y, kind="stable")
    for index, row in enumerate(order):
        folder = tmp_path / "photos" / ("cat", "dog", "emu")[Y[row]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(X[row]).save(folder / f"{index:03d}.png")
    found = load((X[order], Y[order]), class_names=["cat", "dog", "emu"])
    known = load(f"folder:{tmp_path / 'photos'}")
    assert_equal(found, known)
    assert found.facts.classes == known.facts.classes == ("cat", "dog", "emu")


NAMES = np.array(["cat", "dog", "emu"])


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (Y + 5, ("5", "6", "7")),
        (Y[:, None].astype(np.uint8), ("0", "1", "2")),
        (np.eye(3)[Y], ("0", "1", "2")),
        (NAMES[Y], ("cat", "dog", "emu")),
        (NAMES[Y].astype(object), ("cat", "dog", "emu")),
        (NAMES[Y].tolist(), ("cat", "dog", "emu")),
        (Y.astype(float) * 10, ("0", "10", "20")),
        (Y == 1, ("False", "True")),
    ],
)
def test_load_arrays_with_labels_of_any_form_numbers_them_in_order(labels, classes):
    data = load(((X, labels), (X, labels), (X, labels)))
    assert data.facts.classes == classes
    np.testing.assert_array_equal(data.train.labels, Y == 1 if len(classes) == 2 else Y)
    assert data.train.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "names"), [(Y, "abc"), (Y + 1, "abc"), (np.array(list("abc"))[Y], "abc"), (Y, "abcd")]
)
def test_load_arrays_with_class_names_names_the_numbers(labels, names):
    data = load(((X, labels),) * 3, class_names=list(names))
    assert data.facts.classes == tuple(names)
    np.testing.assert_array_equal(data.train.labels, Y)


@pytest.mark.parametrize("shape", [(20, 8, 8), (20, 8, 8, 1)])
def test_load_arrays_with_masks_is_segmentation(shape):
    masks = (noise(20, (8, 8)) > 127).reshape(shape)
    data = load(((noise(20), masks), None, (noise(20), masks)))
    assert data.facts.task == "segmentation" and data.facts.classes == ("False", "True")
    assert data.train.labels.dtype == np.uint8 and data.train.labels.shape == (18, 8, 8)
    assert data.facts.flip_invariant


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 2), (8, 8, 7)])
def test_load_arrays_takes_any_number_of_channels(shape):
    assert load((noise(60, shape), Y)).facts.shape == (8, 8, shape[2] if len(shape) == 3 else 1)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0, 1), (0, 1)),
        ((0.1, 0.4), (0, 1)),
        ((-1, 1), (-1, 1)),
        ((-0.3, 0.9), (-1, 1)),
        ((0, 255), (0, 255)),
        ((3, 128), (0, 255)),
        ((0, 16), (0, 16)),
        ((0, 1.03), (0, 1.03)),
        ((0, 4000), (0, 4095)),
        ((0, 65535), (0, 65535)),
        ((-2.1, 2.6), (-2.1, 2.6)),
        ((2, 2), (0, 2)),
        ((-5, -5), (-5, -4)),
    ],
)
def test_find_value_range_takes_the_convention_that_fits(ends, expected):
    assert find_value_range(*ends) == expected


@pytest.mark.parametrize(
    ("images", "dtype", "value_range"),
    [
        (X, "uint8", (0, 255)),
        (X.astype(np.int64), "uint8", (0, 255)),
        (X.astype(np.float64), "float32", (0, 255)),
        ((X / 255).astype(np.float16), "float32", (0, 1)),
        (X.astype(np.float32) / 127.5 - 1, "float32", (-1, 1)),
        (X.astype(np.uint16) * 257, "float32", (0, 65535)),
        (X > 127, "float32", (0, 1)),
    ],
)
def test_load_arrays_of_any_type_keeps_their_values(images, dtype, value_range):
    data = load(((images, Y), (images, Y), (images, Y)))
    assert (data.facts.dtype, data.facts.value_range) == (dtype, value_range)
    np.testing.assert_array_equal(data.train.images, images.astype(np.float32))
    assert data.facts.mean == pytest.approx(images.astype(float).mean(axis=(0, 1, 2)))
    assert data.facts.variance == pytest.approx(images.astype(float).var(axis=(0, 1, 2)))
    assert DataFacts.from_dict(data.facts.to_dict()) == data.facts


def test_load_arrays_of_an_unusual_range_says_so():
    data = load((X / 255 * 16, Y))
    assert data.facts.value_range == (0, 16)
    assert any("values in 0..16" in note for note in data.facts.notes)
    assert load((X / 255 * 16, Y), value_range=(0, 20)).facts.value_range == (0, 20)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_load_arrays_resizes_all_channels(dtype):
    flat = np.full((60, 8, 8, 5), 0, dtype) + np.arange(0, 250, 50).astype(dtype)
    data = load((flat, Y), image_size=(4, 6), value_range=(0, 255))
    assert data.train.images.shape[1:] == (4, 6, 5)
    np.testing.assert_array_equal(data.train.images[0, 2, 3], np.arange(0, 250, 50))


def batched(batch: int | None) -> tf.data.Dataset:
    dataset = tf.data.Dataset.from_tensor_slices((X, Y))
    return dataset.batch(batch) if batch else dataset


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return X[10 * index : 10 * index + 10], Y[10 * index : 10 * index + 10]


@pytest.mark.parametrize("batch", [None, 7])
def test_load_tf_data_equals_its_arrays(batch):
    assert_equal(load(batched(batch)), load((X, Y)))
    assert_equal(load((batched(batch), (X, Y))), load(((X, Y), (X, Y))))


def test_load_tf_data_of_gray_batches_or_one_hot_examples_is_told_apart():
    gray = tf.data.Dataset.from_tensor_slices((X[..., 0], Y)).batch(20, drop_remainder=True)
    assert_equal(load(gray), load((X[..., 0], Y)))
    one_hot = tf.data.Dataset.from_tensor_slices((X, np.eye(3)[Y]))
    assert_equal(load(one_hot), load((X, Y)))


def test_load_pydataset_equals_its_arrays():
    assert_equal(load(Batches()), load((X, Y)))
    assert_equal(load((Batches(), None, Batches())), load(((X, Y), None, (X, Y))))


def test_load_function_equals_what_it_returns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_arrays.py").write_text(
        "import numpy as np, keras_cnn\n"
        "x, y = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8), np.arange(60) % 3\n"
        "def pair(): return x, y\n"
        "def named(): return keras_cnn.load((x, y), class_names=['a', 'b', 'c'])\n"
        "def digits(): return 'digits'\n"
        "wrong = 3\n"
    )
    found = load("my_arrays:pair", validation_split=0.2)
    assert_equal(found, load((X, Y), validation_split=0.2))
    assert found.facts.name == "my_arrays:pair"
    assert load("my_arrays:named").facts.classes == ("a", "b", "c")
    assert load("my_arrays:digits").facts.shape == (16, 16, 1)
    with pytest.raises(InputError, match="my_arrays:wrong is a int, not a function"):
        load("my_arrays:wrong")
    with pytest.raises(InputError, match=r"my_arrays:none cannot be imported: .*none"):
        load("my_arrays:none")
    with pytest.raises(InputError, match="class_names goes with arrays"):
        load("my_arrays:pair", class_names=["a", "b", "c"])


def with_nan() -> np.ndarray:
    images = (X / 255).astype(np.float32)
    images[[7, 9], 0, 0, 0] = np.nan, np.inf
    return images


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X, Y[:50]), "60 train images and 50 labels: give one label per image"),
        (((X, Y), (X, Y[:1])), "60 validation images and 1 labels"),
        ((with_nan(), Y), "2 of 60 train images hold NaN or infinite values, the first is number 7"),
        ((X[:0], Y[:0]), r"the train images are empty: their shape is \(0, 8, 8, 3\)"),
        ((X.reshape(60, -1), Y), r"images have shape \(60, 192\): give \(N, H, W\) or \(N, H, W, C\)"),
        ((np.moveaxis(X, -1, 1), Y), r"channels first: move them to the end, np.moveaxis\(x, 1, -1\)"),
        (([X[0], X[1, :4]], [0, 1]), "make no array .*: resize them to one size and stack them"),
        ((X.astype(str), Y), "images are of type <U3: convert them to float32"),
        ((X, np.full(60, np.nan)), "labels hold nan: classes are whole numbers"),
        ((X, np.arange(180).reshape(60, 3)), r"labels of shape \(60, 3\) are no one-hot rows"),
        ((X, np.zeros((60, 8, 9))), r"labels have shape \(60, 8, 9\), the images are 8 x 8"),
        ((X, [None] * 60), "labels hold NoneType"),
        ((X, np.array([1, "a"] * 30, object)), r"labels mix strings and numbers .int, str."),
        ((X, Y.astype("datetime64[s]")), r"labels are of type datetime64\[s\]"),
        ((X, 3), "the train labels are a int: give an array"),
        ((X, np.zeros(60, int)), "needs train images of two classes or more, but has those of '0' alone"),
        (((X, Y), (X, NAMES[Y])), "the validation labels have another form than those of train"),
        (((X, Y), (X / 255, Y)), "the validation images are float64 in 0..1, those of train uint8 in 0..255"),
        (
            (((X / 255), Y), (X * 1.0, Y)),
            "validation images are float64 in 0..255, outside of the range of train, 0..1",
        ),
        (
            (((X * 1.0), Y), (X / 255, Y)),
            "validation images are float64 in 0..1, those of train lie in 0..255",
        ),
        (
            ((X, Y), (X[:, :4], Y)),
            r"the validation images of 'arrays' are \(4, 8, 3\), those of train \(8, 8, 3\)",
        ),
        ((None, (X, Y)), "the train split is None"),
        ((X, Y, Y), "data are a tuple of 3. Give arrays"),
        (X, "data of type ndarray are not known. Give arrays"),
        ({"x": X}, "data of type dict are not known"),
        (lambda: tf.data.Dataset.from_tensor_slices(X), "must yield .x, y., images with their labels"),
        (
            lambda: tf.data.Dataset.from_tensor_slices((X, Y)).repeat(),
            "the train data never end: leave out .repeat()",
        ),
        (lambda: tf.data.Dataset.from_tensor_slices((X, Y)).take(0), "the train data yield nothing"),
    ],
)
def test_load_refuses_what_it_cannot_use_in_one_line(data, message):
    data = data() if callable(data) else data  # tensors are made after the devices
    with pytest.raises(InputError, match=message) as error:
        load(data)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_names": ["a"]}, "labels are 3 different numbers from 0 to 2, and class_names has 1 names"),
        ({"class_names": ["a", "a", "b"]}, "must be a list of different names"),
        ({"class_names": "abc"}, "must be a list of different names"),
        ({"value_range": (0, 100)}, "train images are uint8 in 0..255, outside of value_range, 0..100"),
        ({"value_range": (1, 1)}, "value_range=.1, 1. must be .low, high. with low below high"),
    ],
)
def test_load_refuses_names_and_ranges_that_do_not_fit(options, message):
    with pytest.raises(InputError, match=message):
        load((X, Y), **options)


def test_load_of_strings_outside_class_names_is_refused():
    with pytest.raises(InputError, match="label 'emu' is not among class_names: cat, dog"):
        load((X, NAMES[Y]), class_names=["cat", "dog"])


def test_check_same_tells_other_arrays_by_their_checksum():
    data, turned = load((X, Y)), load((X[:, ::-1], Y))
    data.facts.check_same(load((X, Y)).facts, "runs/1")
    with pytest.raises(InputError, match="not what runs/1 was trained on: other images, labels or order"):
        data.facts.check_same(turned.facts, "runs/1")


def test_load_by_the_name_of_arrays_asks_for_them_again():
    with pytest.raises(InputError, match="arrays in memory, which are not stored: give them again"):
        load("arrays")
