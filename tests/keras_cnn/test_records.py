"""Records: what is read is what was written, or a line says that it is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn import provenance
from keras_cnn.errors import DamagedFileError, InputError
from keras_cnn.records import read_record, understood, write_record
from tests.damage import DAMAGE

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
RECORDS = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name not in ("checksum", "format_version")), VALUES, max_size=5
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("records") / "record.json"


@given(record=RECORDS)
def test_record_written_is_read_equal(path, record):
    write_record(path, record)
    assert read_record(path) == record


@given(record=RECORDS, place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_record_with_a_flipped_bit_is_refused_or_equal(path, record, place, bit):
    """Equal where the bit is one of a space."""
    write_record(path, record)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        found = read_record(path)
    except InputError as error:
        assert "\n" not in str(error) and str(path) in str(error)
    else:
        assert found == record


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_record_is_refused_in_one_line(path, damage):
    write_record(path, {"score": 0.5, "classes": ["cat", "dog"]})
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(DamagedFileError) as refused:
        record = read_record(path)
        with understood(path):
            assert record["score"]
    assert str(refused.value).startswith(f"{path} is damaged (") and "\n" not in str(refused.value)


def test_record_is_utf_8_whatever_the_locale(path, monkeypatch):
    write_record(path, {"classes": ["mèo", "猫"]})
    assert json.loads(path.read_text(encoding="utf-8"))["classes"] == ["mèo", "猫"]


def test_sessions_keep_where_a_record_was_made_and_later_continued(path, monkeypatch):
    made = {"packages": {"tensorflow": "2.19.0"}, "platform": "here"}
    monkeypatch.setattr(provenance, "provenance", lambda: made)
    write_record(path, provenance.sessions(path.with_name("missing")))
    assert read_record(path) == {"provenance": made, "resumed": []}
    assert provenance.changes(path) == []
    now = {"packages": {"tensorflow": "2.20.0"}, "platform": "here"}
    monkeypatch.setattr(provenance, "provenance", lambda: now)
    (line,) = provenance.changes(path)
    assert "tensorflow was 2.19.0" in line and "is 2.20.0" in line
    for _ in range(2):
        write_record(path, provenance.sessions(path))
    assert read_record(path) == {"provenance": made, "resumed": [now]}
