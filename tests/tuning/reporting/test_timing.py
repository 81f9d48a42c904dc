"""When trials ran: pauses of a search are left out, and no two in a lane overlap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.reporting.timing import lanes, without_pauses


def test_minutes_begin_with_the_first_trial_and_leave_pauses_out():
    spans = {"0000": (1000.0, 1060.0), "0001": (1030.0, 1120.0), "0002": (8120.0, 8180.0)}
    assert without_pauses(spans) == {"0000": (0, 1), "0001": (0.5, 2), "0002": (2, 3)}


def test_minutes_keep_a_gap_in_which_a_worker_starts():
    assert without_pauses({"a": (0.0, 60.0), "b": (90.0, 150.0)})["b"] == (1.5, 2.5)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=15))
def test_lanes_hold_one_at_a_time_and_are_as_few_as_run_at_once(pairs):
    spans = [(float(start), float(start + length)) for start, length in pairs]
    found = lanes(spans)
    for place, (start, end) in enumerate(spans):
        for other in range(place):
            apart = end <= spans[other][0] or spans[other][1] <= start
            assert found[place] != found[other] or apart
    at_once = max((sum(a <= moment < b for a, b in spans) for moment in range(30)), default=0)
    assert len(set(found)) == at_once


@pytest.mark.parametrize("spans", [[], [(0.0, 1.0)]])
def test_lanes_of_few_are_numbered_from_zero(spans):
    assert lanes(spans) == [0] * len(spans)
