"""The arithmetic of sizes finds what was left out, or says why there is nothing."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_cnn.errors import InputError
from keras_cnn.models.conv_arithmetic import NAMES, output_size, solution_lines, solve

numbers = st.fixed_dictionaries(
    {"size": st.integers(1, 300), "kernel": st.integers(1, 11), "stride": st.integers(1, 8)}
).flatmap(lambda d: st.integers(0, (d["kernel"] - 1) // 2).map(lambda padding: {**d, "padding": padding}))


@given(numbers=numbers, missing=st.sampled_from(NAMES))
def test_the_number_left_out_is_among_the_solutions(numbers, missing):
    output = output_size(**numbers)
    whole = {**numbers, "output": output}
    known = {name: value for name, value in whole.items() if name != missing}
    if output < 1:
        if missing == "output":
            with pytest.raises(InputError, match="does not fit"):
                solve(**known)
        return
    solutions = solve(**known)
    assert whole in solutions
    for found in solutions:
        assert output_size(**{k: found[k] for k in numbers}) == found["output"] == output
        assert all(found[name] == value for name, value in known.items())


@settings(max_examples=30)
@given(
    numbers=numbers,
    missing=st.sampled_from([("kernel", "stride"), ("padding", "kernel"), ("stride", "output")]),
)
def test_two_numbers_left_out(numbers, missing):
    whole = {**numbers, "output": output_size(**numbers)}
    if whole["output"] >= 1:
        known = {name: value for name, value in whole.items() if name not in missing}
        assert whole in solve(**known)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(28, 2, 2), (227, 11, 4), (7, 3, 2)])
def test_sizes_are_those_of_keras(size, kernel, stride):
    layer = keras.layers.Conv2D(1, kernel, stride, padding="valid")
    assert layer.compute_output_shape((1, size, size, 1))[1] == output_size(size, kernel, 0, stride)


def test_solve_of_the_lecture_exercise_is_stride_2():
    assert solve(size=28, kernel=2, padding=0, output=14) == [
        {"size": 28, "kernel": 2, "padding": 0, "stride": 2, "output": 14}
    ]
    known = {"size": 28, "kernel": 2, "padding": 0, "stride": 2}
    assert list(solution_lines(solve(**known), known)) == ["output 14: floor((28 - 2 + 2 x 0) / 2) + 1 = 14"]


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (
            {"size": 28, "kernel": 5, "padding": 0, "output": 17},
            "nearest is stride 1, which gives 24|nearest is",
        ),
        ({"size": 3, "kernel": 5, "padding": 0, "stride": 1}, "a kernel of 5 does not fit into 3"),
        (
            {"size": 28, "kernel": 2, "padding": 1, "output": 14},
            "half of the kernel or more would be padding",
        ),
        ({"size": 28, "kernel": 2}, "give three or four"),
        (dict.fromkeys(NAMES, 1), "give three or four"),
        ({"size": 0, "kernel": 2, "padding": 0, "stride": 1}, "size=0 must be at least 1"),
    ],
)
def test_no_solution_is_explained(known, message):
    with pytest.raises(InputError, match=message):
        solve(**known)


def test_solve_refuses_padding_of_half_the_kernel():
    """A window that lies in the padding alone would contain no pixel of the image."""
    with pytest.raises(InputError, match="no padding solves it"):
        solve(size=8, kernel=4, stride=1, output=9)
