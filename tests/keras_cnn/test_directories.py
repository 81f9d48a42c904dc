"""Directories of results: each has one owner, whoever comes at the same time."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_cnn.directories import LOCK, claim, held, owner
from keras_cnn.errors import InputError
from keras_cnn.files import TEMPORARY


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_claims_at_the_same_time_get_directories_of_their_own():
    together = threading.Barrier(8)

    def run(number: int) -> str:
        together.wait()
        with claim(None, "digits-vgg", "run.json") as directory:
            (directory / "run.json").write_text(str(number))
        return directory.name

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(run, range(8)))
    assert sorted(names) == [f"digits-vgg-{number}" for number in range(1, 9)]


def test_one_of_two_claims_of_a_directory_is_refused(tmp_path):
    with claim(tmp_path / "run", "x", "run.json"):
        assert owner(tmp_path / "run") == str(os.getpid())
        with (
            pytest.raises(InputError, match=f"run is in use by process {os.getpid()}"),
            claim(tmp_path / "run", "x", "run.json"),
        ):
            pass
    assert owner(tmp_path / "run") is None


def test_a_link_in_the_place_of_the_lock_is_refused_and_its_target_kept(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="lock must be a regular file"), held(tmp_path / "run"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_pipe_in_the_place_of_the_lock_is_refused(tmp_path):
    os.mkfifo(tmp_path / LOCK)
    assert owner(tmp_path) is None
    with pytest.raises(InputError, match="lock must be a regular file"), held(tmp_path):
        pass


def test_a_directory_with_a_result_is_refused_without_a_trace(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match=r"already contains a run\.json"), claim(tmp_path, "x", "run.json"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("wanted", [None, "new/deeper", "existing"])
def test_a_claim_that_wrote_nothing_leaves_nothing(tmp_path, wanted):
    (tmp_path / "existing").mkdir()
    with (
        pytest.raises(InputError, match="too small"),
        claim(tmp_path / wanted if wanted else None, "x", "run.json"),
    ):
        raise InputError("too small")
    assert list(tmp_path.rglob("*")) == [] if wanted == "existing" else [tmp_path / "existing"]


def test_a_claim_that_wrote_something_keeps_it():
    with pytest.raises(KeyboardInterrupt), claim(None, "x", "run.json") as directory:
        (directory / "run.json").write_text("{}")
        raise KeyboardInterrupt
    assert (directory / "run.json").exists()
    with claim(None, "x", "run.json") as other:
        assert other.name == "x-2"


def test_who_waits_for_a_directory_gets_it_when_it_is_free(tmp_path):
    order = []

    def wait() -> None:
        with held(tmp_path, wait=True):
            order.append("second")

    with held(tmp_path):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_who_reads_the_owner_does_not_keep_a_new_one_out(tmp_path):
    with held(tmp_path):
        pass
    over = threading.Event()
    readers = [
        threading.Thread(target=lambda: [owner(tmp_path) for _ in iter(over.is_set, True)]) for _ in range(3)
    ]
    for reader in readers:
        reader.start()
    try:
        for _ in range(50):
            with held(tmp_path):
                pass
    finally:
        over.set()
        for reader in readers:
            reader.join()


def test_what_a_killed_writer_left_is_deleted_and_a_living_ones_is_not(tmp_path):
    dead, living = (
        tmp_path / (TEMPORARY.format(process=number) + "a.json") for number in (2**22 + 1, os.getpid())
    )
    dead.write_text("{")
    living.write_text("{")
    with held(tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([living.name, LOCK])
