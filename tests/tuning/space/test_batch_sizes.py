"""The batch sizes that a study chooses from are part of it."""

from keras_cnn.data.dataset import DataFacts
from keras_cnn.records import read_record, write_record
from keras_cnn.training.config import TrainSettings
from tuning.config import StudyConfig, read_study
from tuning.oracles.base import declare_space
from tuning.search_settings import SearchSettings


def labels(images: int) -> DataFacts:
    counts = {"train": [images - images // 2, images // 2]}
    return DataFacts("x", (8, 8, 3), ("a", "b"), counts, (1.0,) * 3, (1.0,) * 3)


def study_in(directory, facts) -> StudyConfig:
    return StudyConfig(directory, SearchSettings("random"), TrainSettings(), {}, facts)


def test_study_records_its_batch_sizes(tmp_path):
    study_in(tmp_path, labels(108)).write()
    record = read_record(tmp_path / "study.json")
    del record["batch_sizes"]
    write_record(tmp_path / "study.json", record)
    assert read_study(tmp_path).batch_sizes == (32, 64, 128)


def test_search_space_holds_the_batch_sizes_of_its_study(tmp_path):
    (choice,) = [p for p in declare_space(study_in(tmp_path, labels(700))).space if p.name == "batch_size"]
    assert (choice.values, choice.default) == ([16, 32, 64], 32)
