"""The notebooks of the documentation run, in a kernel and in a folder of their own."""

from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_arrays_to_an_exported_model(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=400, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()  # raises what a cell raises
    shown = "".join(
        str(output.get("text", "")) + str(output.get("data", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "the search has ended: all 3 trials are done" in shown
    assert "<table><caption>Study" in shown and "BestTrial(" in shown
    assert (tmp_path / "saved_models/digits/1/saved_model.pb").exists()
    assert (tmp_path / "digits-study/report.html").exists()


def test_notebooks_are_stored_without_output():
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), path
