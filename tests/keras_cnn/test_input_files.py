"""What is no regular file, or too large, is refused before it is read, by every reader of a user's files."""

import os
import socket
from pathlib import Path

import pytest

from keras_cnn import cli
from keras_cnn.data.decode import decode, header
from keras_cnn.data.mask_classes import mask_classes
from keras_cnn.errors import InputError
from keras_cnn.input_files import check_file, in_units, read_text
from keras_cnn.models.keras_file import load_keras_file
from keras_cnn.models.pretrained import check_weights
from keras_cnn.records import read_json


@pytest.fixture
def pipe(tmp_path) -> Path:
    """A named pipe that nobody writes to: reading it would wait for ever."""
    os.mkfifo(tmp_path / "classes.txt")
    return tmp_path / "classes.txt"


@pytest.mark.parametrize(
    "read",
    [
        decode,
        header,
        read_json,
        check_weights,
        load_keras_file,
        lambda path: mask_classes(path.parent, {path: frozenset({0, 1})}),
    ],
)
def test_pipe_is_refused_by_every_reader(pipe, read):
    with pytest.raises(InputError, match=r"classes.txt' is a named pipe, where a regular file is needed"):
        read(pipe)


def test_other_kinds_are_refused_by_name(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))  # a socket's path is short
        for path, kind in (("socket", "a socket"), (".", "a folder"), ("/dev/zero", "a device")):
            with pytest.raises(InputError, match=f"is {kind}, where"):
                check_file(tmp_path / path, 10)


def test_file_is_read_up_to_its_limit_and_followed_through_links(tmp_path):
    (tmp_path / "text").write_text("größe")
    (tmp_path / "link").symlink_to("text")
    assert read_text(tmp_path / "link", 7) == "größe"
    with pytest.raises(InputError, match=r"has 7 bytes, and at most 6 bytes are read"):
        read_text(tmp_path / "link", 6)


def test_missing_and_impossible_names_are_refused_in_one_line(tmp_path):
    for name in ("missing", "two\nlines", "nul\0byte", "x" * 300):
        with pytest.raises(InputError) as error:
            check_file(tmp_path / name, 10)
        assert "\n" not in str(error.value)


def test_text_of_another_encoding_is_refused(tmp_path):
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_text(tmp_path / "latin", 10)


def test_json_nested_too_deeply_is_refused(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"deep\.json is damaged \(maximum recursion depth"):
        read_json(tmp_path / "deep.json")


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (870_000, "870 kB"), (6_800_000_000, "6.8 GB")])
def test_sizes_are_written_in_units(size, text):
    assert in_units(size) == text


BOMB = "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]\n" for n in range(9)
)  # 9^9 values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "has an alias (*a0), and aliases are not read"),
        ("epochs: &a 1\nseed: *a\n", "Write the value out"),
        ("options: " + "[" * 30 + "]" * 30, "nested deeper than 20"),
        ("options: " + "[" * 90_000, "nesting"),
        ("- a\n" * 9000, "Unexpected config"),
        ("# " + "x" * 1_000_000, "at most 1 MB are read"),
    ],
)
def test_configuration_that_would_fill_the_memory_is_refused(content, message, capsys, tmp_path):
    (tmp_path / "run.yaml").write_text(content)
    with pytest.raises(SystemExit) as exit_:
        cli.main(["train", "--config", str(tmp_path / "run.yaml")])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and message in error
    assert error.startswith("error: ") and error.count("\n") == 1 and len(error) < 1200


def test_configuration_from_a_pipe_is_refused(pipe, capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--config", str(pipe)])
    assert "is a named pipe" in capsys.readouterr().err
