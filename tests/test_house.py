"""The rules of the house that a machine can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [path for package in ("keras_cnn", "tuning") for path in sorted((ROOT / package).rglob("*.py"))]
LAYERS = ["data", "models", "training", "diagnosis", "serving"]  # each may import what stands left of it


def imports(path: Path) -> set[str]:
    """Modules of this project that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] in ("keras_cnn", "tuning")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_imports_go_one_way(path):
    assert len(path.read_text().splitlines()) <= 250
    package, *inner = path.relative_to(ROOT).parts
    if package == "keras_cnn":
        assert not [name for name in imports(path) if name.startswith("tuning")]
        if inner[0] in LAYERS:
            later = LAYERS[LAYERS.index(inner[0]) + 1 :]
            assert not [
                name for name in imports(path) if name.split(".")[1:2] and name.split(".")[1] in later
            ]


def test_models_know_no_data():
    for path in (ROOT / "keras_cnn" / "models").glob("*.py"):
        assert not [name for name in imports(path) if name.startswith("keras_cnn.data")]


def test_no_division_by_255_outside_normalization():
    """Pixels become numbers in one place. The report of a data set may tell its statistics in both units."""
    allowed = {"normalization.py", "report.py", "digits.py", "decode.py"}
    for path in SOURCES:
        assert path.name in allowed or not re.search(r"/ ?255", path.read_text()), path


def test_importing_the_package_costs_no_tensorflow():
    code = "import sys, keras_cnn; assert 'tensorflow' not in sys.modules; keras_cnn.TrainSettings()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_public_name_is_there():
    import keras_cnn

    for name in keras_cnn.__all__:
        assert getattr(keras_cnn, name) is not None


def test_the_tree_in_the_readme_is_the_real_one():
    """Every file named in it exists, and every module is named in it."""
    tree = (ROOT / "README.md").read_text().partition("## The tree")[2].partition("\n## ")[0]
    named = set(re.findall(r"[\w-]+\.(?:py|txt|toml|md)\b|Makefile|LICENSE", tree))
    real = {path.name for path in ROOT.rglob("*") if ".venv" not in path.parts and path.is_file()}
    assert named <= real, named - real
    modules = {path.name for path in SOURCES if path.name not in ("__init__.py", "__main__.py")}
    assert modules <= named, modules - named
