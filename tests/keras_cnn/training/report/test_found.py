"""What a diagnosis and a monitor left in the directory of a run."""

from keras_cnn.records import write_record
from keras_cnn.training.report.found import found_reports

FINDING = {
    "name": "dead_units",
    "message": "80 % are 0.",
    "suggestions": [{"what": "a smaller rate", "effect": ""}],
}


def test_found_reports_are_read_from_the_run_and_folders_in_it(tmp_path):
    (tmp_path / "diagnosis").mkdir()
    write_record(tmp_path / "diagnosis/diagnosis.json", {"verdict": "healthy", "findings": []})
    write_record(tmp_path / "health.json", {"reason": "diverged: x", "steps": 12, "findings": [FINDING]})
    first, second = found_reports(tmp_path)
    assert (first.source, first.summary, first.findings) == (
        "diagnosis/diagnosis.json",
        "verdict: healthy",
        [],
    )
    assert (second.source, second.summary) == ("health.json", "1 findings in 12 steps; stopped: diverged: x")
    assert second.findings == [("dead_units", "80 % are 0.", "a smaller rate")]


def test_found_reports_leave_out_what_is_damaged(tmp_path):
    (tmp_path / "health.json").write_text("{")
    assert found_reports(tmp_path) == []
