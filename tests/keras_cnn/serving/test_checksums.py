"""An exported version of which anything is damaged is refused, and the version of a run is found again."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from keras_cnn.errors import InputError
from keras_cnn.serving.checksums import check_checksums, find_export
from keras_cnn.serving.predictor import Predictor
from tests.damage import flip


@pytest.fixture
def version(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "model/1")


def test_a_flipped_bit_in_any_file_of_a_version_is_noticed(version):
    paths = [path for path in version.rglob("*") if path.is_file() and path.stat().st_size]
    assert {"saved_model.pb", "card.json", "SHA256SUMS"} <= {path.name for path in paths}
    for path in paths:
        content = path.read_bytes()
        path.write_bytes(flip(content))
        with pytest.raises(InputError, match="is not what was exported") as refused:
            Predictor(version)
        assert "\n" not in str(refused.value)
        assert path.name == "SHA256SUMS" or str(path) in str(refused.value)
        path.write_bytes(content)
    check_checksums(version)


def test_a_missing_file_is_noticed_and_an_older_version_without_checksums_passes(version):
    (version / "variables/variables.index").unlink()
    with pytest.raises(InputError, match=r"variables\.index is not what was exported"):
        Predictor(version)
    (version / "SHA256SUMS").unlink()
    check_checksums(version)


@pytest.mark.parametrize("kept", [0, 2])
def test_checksums_that_are_cut_off_are_noticed(kept, version):
    lines = (version / "SHA256SUMS").read_text().splitlines(keepends=True)
    (version / "SHA256SUMS").write_text("".join(lines[:kept]))
    with pytest.raises(InputError, match="SHA256SUMS is not what was exported"):
        Predictor(version)


def test_checksums_that_would_never_end_are_refused(version):
    (version / "SHA256SUMS").unlink()
    os.mkfifo(version / "SHA256SUMS")
    with pytest.raises(InputError, match="named pipe"):
        Predictor(version)


def test_checksums_are_those_of_sha256sum(version):
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=version, check=True, capture_output=True
    )


def test_version_of_a_run_is_found_by_its_weights(exported, tmp_path):
    run, models = exported.parents[1] / "run", exported.parent
    assert find_export(run, models) == exported
    assert find_export(run, tmp_path) is None
    np.savez(tmp_path / "best.npz", other=np.zeros(3))
    assert find_export(tmp_path, models) is None
