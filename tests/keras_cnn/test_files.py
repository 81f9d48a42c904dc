"""Names of files that are written for files that are read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.files import distinct_stems


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/scan.png", "b/leaf.jpg"], ["scan", "leaf"]),
        (["a/scan.png", "b/scan.png", "c/scan.jpg"], ["scan", "scan-2", "scan-3"]),
        (["a/scan.png", "b/scan.png", "c/scan-2.png"], ["scan", "scan-3", "scan-2"]),
    ],
)
def test_a_name_that_is_taken_is_numbered(paths, names):
    assert distinct_stems([Path(path) for path in paths]) == names


@given(st.lists(st.sampled_from(["a", "a-2", "a-3", "b", "b-2"]).map(lambda name: Path(f"x/{name}.png"))))
def test_no_name_comes_twice_and_the_first_keeps_its_own(paths):
    names = distinct_stems(paths)
    assert len(set(names)) == len(paths)
    for path in set(paths):
        assert names[paths.index(path)] == path.stem
