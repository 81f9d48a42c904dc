"""Weights and checkpoints within a bound."""

from dataclasses import replace

import pytest

from keras_cnn.errors import InputError
from keras_cnn.logs import redirected
from keras_cnn.quantities import to_bytes
from tuning.config import read_study
from tuning.oracles.make import make_oracle
from tuning.search_settings import SearchSettings
from tuning.storage.retention import CheckpointRetention


@pytest.fixture
def study(searched, tmp_path):
    """A function: a study of five trials whose archives take 400 bytes each, with that bound; later ones are better."""
    searched(trials=5)

    def bound(disk: str):
        study = read_study(tmp_path / "study")
        for number in range(5):
            for name, size in (("best.npz", 100), ("checkpoint.npz", 300)):
                (study.trial_directory(f"{number:04d}") / name).write_bytes(b"x" * size)
        return replace(study, search=replace(study.search, disk=disk))

    return bound


def kept(study) -> dict[str, list[str]]:
    return {
        trial.name: sorted(path.name.removesuffix(".npz") for path in trial.glob("*.npz"))
        for trial in sorted(study.directory.glob("trials/*"))
    }


def tidied(study, slots: int = 1) -> list[str]:
    said: list[str] = []
    with redirected(said.append):
        CheckpointRetention(study, slots).enforce(make_oracle(study), "0004")
    return said


def test_checkpoints_go_first_then_the_weights_of_the_worst(study):
    bounded = study("1300")
    assert tidied(bounded) == []
    assert kept(bounded) == {
        "0000": ["best"], "0001": ["best"], "0002": ["best"], "0003": ["best"], "0004": ["best", "checkpoint"],
    }  # fmt: skip
    bounded = study("1KB")
    assert tidied(bounded) == []
    assert kept(bounded) == {
        "0000": [], "0001": [], "0002": ["best"], "0003": ["best"], "0004": ["best", "checkpoint"],
    }  # fmt: skip


def test_retention_keeps_the_best_beyond_the_limit(study):
    bounded = study("100")
    assert "100 of disk space are not enough for the best trial" in tidied(bounded)[0]
    assert kept(bounded)["0004"] == ["best", "checkpoint"]
    assert not any(kept(bounded)[f"000{n}"] for n in range(4))


def test_without_a_bound_all_stays(study):
    bounded = study(None)
    tidied(bounded)
    assert all(files == ["best", "checkpoint"] for files in kept(bounded).values())


def test_hyperband_keeps_what_it_may_continue(searched, tmp_path):
    searched(tuner="hyperband", trials=2, epochs=9)
    study = read_study(tmp_path / "study")
    for trial in study.directory.glob("trials/*"):
        for name in ("best.npz", "checkpoint.npz"):
            (trial / name).write_bytes(b"x" * 100)
    bounded = replace(study, search=replace(study.search, disk="10"))
    said: list[str] = []
    with redirected(said.append):
        CheckpointRetention(bounded, 1).enforce(make_oracle(bounded), "0001")
    assert said and all(files == ["best", "checkpoint"] for files in kept(bounded).values())


def test_to_bytes_reads_units_and_refuses_others():
    assert to_bytes("disk", "5GB") == 5e9 and to_bytes("disk", "1.5 mb") == 1.5e6
    for wrong in ("5 pounds", "-1GB", "0", "GB"):
        with pytest.raises(InputError, match="Write it as 5GB or 500MB"):
            SearchSettings(disk=wrong)
