"""Pictures of where a net looks and of the maps of its layers."""

from unittest import mock

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_cnn.errors import InputError
from keras_cnn.logs import redirected
from keras_cnn.serving import explain
from keras_cnn.training.run_directory import read_run


def explained(version, data, folder, files=(), layers=()):
    """The pictures below `folder`, of the run that `version` was exported from, and what is told."""
    told = []
    with redirected(told.append), mock.patch.object(explain, "load", lambda **arguments: data):
        explain.explain_run(version.parents[1] / "run", files, layers, folder)
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}, told


def test_files_of_one_name_and_chosen_layers(exported, data, tmp_path):
    files = []
    for index, folder in enumerate("ab"):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "x.png")
        Image.fromarray(data.load_test().images[index]).resize((40, 30)).save(files[-1])
    found, told = explained(exported, data, tmp_path / "out", files, ["block1_act1", "block2_pool"])
    pictures = ("answer.png", "01-block1_act1.png", "02-block2_pool.png")
    assert found == {f"{name}/{picture}" for name in ("x", "x-2") for picture in pictures}
    assert told[0] == f"x: 3 pictures in {tmp_path / 'out' / 'x'}"
    events = EventAccumulator(str(read_run(exported.parents[1] / "run").log_directory / "explain"))
    assert "x-2/block2_pool" in events.Reload().Tags()["tensors"]
    for path in (tmp_path / "out").rglob("*.png"):
        assert np.ptp(np.asarray(Image.open(path).convert("L"))) > 100, path  # something is drawn


def test_without_files_it_takes_test_images_and_all_activations(exported, data, tmp_path):
    found, _ = explained(exported, data, tmp_path)
    names = {name.split("/")[0] for name in found}
    assert len(names) == explain.SAMPLES and "test-0" in names
    of_first = sorted(name for name in found if name.startswith("test-0/"))
    assert [name.split("-")[-1] for name in of_first] == [
        *("block1_act1.png", "block1_pool.png", "block2_act1.png", "block2_pool.png"),
        "0/answer.png",
    ]


def test_masks(exported_masks, mask_data, tmp_path):
    found, _ = explained(exported_masks, mask_data, tmp_path, layers=["probabilities"])
    assert {name.split("/")[1] for name in found} == {"answer.png", "01-probabilities.png"}


def test_what_cannot_be_drawn(exported, data, tmp_path):
    with pytest.raises(InputError, match=r"unknown layer with maps 'fc1'.*block1_act1"):
        explained(exported, data, tmp_path, layers=["fc1"])
    (tmp_path / "x.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no image"):
        explained(exported, data, tmp_path, [tmp_path / "x.png"])
