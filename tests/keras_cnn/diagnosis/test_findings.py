"""The table of findings is complete, and the documentation is made from it."""

import ast
import sys
from pathlib import Path

import pytest

import keras_cnn.diagnosis
from keras_cnn.diagnosis.findings import FINDINGS, make_finding
from keras_cnn.diagnosis.remedies.remedies import REMEDIES

PACKAGE = Path(keras_cnn.diagnosis.__file__).parent
DOCS = Path(__file__).parents[3] / "docs"
CONSTRUCTORS = ("make_finding", "_gradient", "_update")  # functions whose first argument is the name

ABLATIONS = ("Ablation", "_layers", "_without")  # functions that take the name of a finding among others


def constructed_names() -> set[str]:
    """The names of all findings that the package constructs, found in its syntax trees."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CONSTRUCTORS:
                if isinstance(node.args[0], ast.Constant):
                    names.add(node.args[0].value)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ABLATIONS:
                names |= {one.value for one in node.args if isinstance(one, ast.Constant)} & set(FINDINGS)
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "name":
                # name = "rate_too_low" if ... else "rate_too_high"
                names |= {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)} & set(
                    FINDINGS
                )
    return names


def test_findings_table_has_every_constructed_name_and_no_other():
    assert constructed_names() == set(FINDINGS)


def test_findings_are_constructed_from_the_table_only():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            direct = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"
            assert not direct or path.name == "findings.py", (path, node.lineno)


def test_make_finding_unknown_name_raises():
    with pytest.raises(KeyError):
        make_finding("unknown", "", 1.0)


def test_findings_table_rows_are_complete():
    for name, kind in FINDINGS.items():
        assert kind.meaning.endswith(".") and kind.threshold and kind.suggestions, name
        assert set(kind.remedies) <= set(REMEDIES), name
        assert not any(suggestion.what.endswith(".") for suggestion in kind.suggestions), name


def test_documentation_lists_every_finding():
    sys.path.insert(0, str(DOCS))
    from hooks import on_page_markdown

    page = on_page_markdown((DOCS / "diagnosis.md").read_text())
    assert all(f"| `{name}` |" in page for name in FINDINGS) and "<!-- findings -->" not in page
