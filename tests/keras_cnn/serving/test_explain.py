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
from tests.keras_cnn.serving.conftest import copy_run


def explained(version, data, folder, files=(), layers=()):
    """The pictures below `folder`, of a copy of the run that `version` was exported from, and what is said."""
    said: list[str] = []
    run, _ = copy_run(version, folder.parent / "copy")
    with redirected(said.append), mock.patch.object(explain, "load", lambda **arguments: data):
        explain.explain_run(run, files, layers, folder)
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}, said


@pytest.mark.slow
def test_explain_of_two_files_of_one_name_draws_the_chosen_layers(exported, data, tmp_path):
    files = []
    for index, folder in enumerate("ab"):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "x.png")
        Image.fromarray(data.load_test().images[index]).resize((40, 30)).save(files[-1])
    found, said = explained(exported, data, tmp_path / "out", files, ["block1_act1", "block2_pool"])
    pictures = ("answer.png", "01-block1_act1.png", "02-block2_pool.png")
    assert found == {f"{name}/{picture}" for name in ("x", "x-2") for picture in pictures}
    assert said[0] == f"x: 3 pictures in {tmp_path / 'out' / 'x'}"
    events = EventAccumulator(str(read_run(tmp_path / "copy/run").log_directory / "explain"))
    assert "x-2/block2_pool" in events.Reload().Tags()["tensors"]
    for path in (tmp_path / "out").rglob("*.png"):
        assert np.ptp(np.asarray(Image.open(path).convert("L"))) > 100, path  # something is drawn


@pytest.mark.slow
def test_explain_without_files_draws_all_activations_of_test_images(exported, data, tmp_path, monkeypatch):
    monkeypatch.setattr(explain, "SAMPLES", 2)
    found, _ = explained(exported, data, tmp_path / "out")
    names = {name.split("/")[0] for name in found}
    assert len(names) == 2 and "test-0" in names
    of_first = sorted(name for name in found if name.startswith("test-0/"))
    assert [name.split("-")[-1] for name in of_first] == [
        *("block1_act1.png", "block1_pool.png", "block2_act1.png", "block2_pool.png"),
        "0/answer.png",
    ]


@pytest.mark.slow
def test_explain_of_a_mask_model_draws_the_chosen_layer(exported_masks, mask_data, tmp_path):
    found, _ = explained(exported_masks, mask_data, tmp_path / "out", layers=["probabilities"])
    assert {name.split("/")[1] for name in found} == {"answer.png", "01-probabilities.png"}


def test_explain_of_unknown_layers_or_broken_files_is_refused(exported, data, tmp_path):
    with pytest.raises(InputError, match=r"unknown layer with maps 'fc1'.*block1_act1"):
        explained(exported, data, tmp_path / "a/out", layers=["fc1"])
    (tmp_path / "x.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no image"):
        explained(exported, data, tmp_path / "b/out", [tmp_path / "x.png"])
