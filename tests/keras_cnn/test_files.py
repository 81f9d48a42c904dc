"""Names of files that are written for files that are read, and files that are written whole or not at all."""

import csv
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_cnn.files import distinct_stems, to_csv, write_file, write_text


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/scan.png", "b/leaf.jpg"], ["scan", "leaf"]),
        (["a/scan.png", "b/scan.png", "c/scan.jpg"], ["scan", "scan-2", "scan-3"]),
        (["a/scan.png", "b/scan.png", "c/scan-2.png"], ["scan", "scan-3", "scan-2"]),
    ],
)
def test_distinct_stems_of_equal_names_are_numbered(paths, names):
    assert distinct_stems([Path(path) for path in paths]) == names


@given(st.lists(st.sampled_from(["a", "a-2", "a-3", "b", "b-2"]).map(lambda name: Path(f"x/{name}.png"))))
def test_distinct_stems_differ_and_the_first_keeps_its_own(paths):
    names = distinct_stems(paths)
    assert len(set(names)) == len(paths)
    for path in set(paths):
        assert names[paths.index(path)] == path.stem


def test_csv_holds_no_formula_and_leaves_numbers_alone():
    formulas = ['=HYPERLINK("http://x.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]  # noqa: RUF001
    rows = [{"file": text, "value": -0.5, "other": 1} for text in [*formulas, "a=b.png", ""]]
    found = list(csv.reader(io.StringIO(to_csv(rows, ["file", "value", "missing"]), newline="")))
    assert found[0] == ["file", "value", "missing"]
    assert [row[0] for row in found[1:]] == [*(f"'{text}" for text in formulas), "a=b.png", ""]
    assert {tuple(row[1:]) for row in found[1:]} == {("-0.5", "")}


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_write_file_whose_writer_fails_keeps_the_old_content(tmp_path, error):
    path = tmp_path / "kept.json"
    path.write_text("old")

    def fail_half_way(temporary_path: Path) -> None:
        temporary_path.write_text("ne")
        raise error

    with pytest.raises(type(error)):
        write_file(path, fail_half_way)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_file_syncs_content_then_renames_then_syncs_the_folder(tmp_path, monkeypatch):
    path, calls = tmp_path / "kept.json", []
    sync, replace = os.fsync, os.replace

    def record_sync(descriptor: int) -> None:
        synced = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert synced == tmp_path or synced.read_text() == "new"  # all of it is written by then
        calls.append("sync folder" if synced == tmp_path else "sync content")
        sync(descriptor)

    def record_replace(source, target) -> None:
        assert Path(target) == path
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", record_replace)
    monkeypatch.setattr(os, "rename", record_replace)
    write_file(path, lambda temporary_path: temporary_path.write_text("new"))
    assert calls == ["sync content", "rename", "sync folder"]
    assert path.read_text() == "new"


def test_write_file_killed_before_the_rename_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "kept.json"
    path.write_text("old")
    code = (
        "import os, pathlib, signal, sys\nfrom keras_cnn.files import write_file\n"
        "def die(*arguments): os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.replace = os.rename = die\n"
        "write_file(pathlib.Path(sys.argv[1]), lambda aside: aside.write_text('new'))\n"
    )
    run = subprocess.run([sys.executable, "-c", code, path], cwd=Path(__file__).parents[2])
    assert run.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    (temporary_path,) = set(tmp_path.iterdir()) - {path}  # it was killed after the writing
    assert temporary_path.read_text() == "new"


def test_text_is_utf_8_under_an_ascii_locale(tmp_path):
    code = (
        "import locale, pathlib, sys\nfrom keras_cnn.files import write_text\n"
        "assert locale.getpreferredencoding(False).lower() in ('ascii', 'ansi_x3.4-1968')\n"
        "write_text(pathlib.Path(sys.argv[1]), 'm\\u00e8o \\u732b')"
    )
    ascii_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment = {**os.environ, **ascii_locale, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code, tmp_path / "names.txt"], env=environment, check=True)
    assert (tmp_path / "names.txt").read_text(encoding="utf-8") == "mèo 猫"


def test_text_with_bytes_that_are_no_text_is_written_by_their_code(tmp_path):
    write_text(tmp_path / "text", "naïve \udcff")
    assert (tmp_path / "text").read_text(encoding="utf-8") == "naïve \\udcff"
