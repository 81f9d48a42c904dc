"""Rules of the code base that a machine can check: layers, cycles, sizes, lazy imports."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("keras_cnn", "tuning", "benchmarks")
    for path in sorted((ROOT / package).rglob("*.py"))
}
LAYERS = [
    "data",
    "models",
    "training",
    "diagnosis",
    "serving",
    "lecture",
    "cli",
]  # each may import what stands left


def imports(module: str) -> set[str]:
    """Modules of this project that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in FILES else node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name in FILES}


def layer(module: str) -> int | None:
    package, *inner = module.split(".")
    return LAYERS.index(inner[0]) if package == "keras_cnn" and inner and inner[0] in LAYERS else None


@pytest.mark.parametrize("module", FILES)
def test_imports_of_a_module_go_one_way(module):
    own = layer(module)
    for name in imports(module):
        package = name.partition(".")[0]
        assert package != "benchmarks" or module.startswith("benchmarks")
        assert package != "tuning" or not module.startswith("keras_cnn")
        assert not name.startswith("keras_cnn.cli") or module.startswith("keras_cnn")
        other = layer(name)
        assert own is None or other is None or other <= own, f"{module} imports {name}"


def test_imports_have_no_cycle():
    graph = {module: imports(module) - {module} for module in FILES}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


def test_tests_import_no_benchmark():
    """What reads result files and makes tables of them is no benchmark."""
    benchmark = re.compile(r"^from benchmarks(?!\.(result_files|tables)\b)", re.M)
    for path in (ROOT / "tests").rglob("*.py"):
        assert not benchmark.search(path.read_text()), path


PACKAGES = [module for module in FILES if not module.startswith("benchmarks")]


@pytest.mark.parametrize("module", PACKAGES)
def test_a_file_is_short(module):
    assert len(FILES[module].read_text().splitlines()) <= 250


def test_models_do_not_read_data():
    for module in FILES:
        if module.startswith("keras_cnn.models"):
            assert not [name for name in imports(module) if name.startswith("keras_cnn.data")]


def quotes(node: ast.expr) -> bool:
    """Whether an expression is shlex.quote(...) or shlex.join(...)."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("shlex.quote", "shlex.join")


@pytest.mark.parametrize("module", PACKAGES)
def test_a_printed_command_quotes_what_it_is_given(module):
    """A path may hold spaces; the command that a message shows must still run when it is pasted."""
    command = re.compile(r"(keras-cnn [a-z-]+|tensorboard)( --\w+)* $")
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.JoinedStr):
            for before, value in zip(node.values, node.values[1:], strict=False):
                if isinstance(before, ast.Constant) and command.search(before.value):
                    assert quotes(value.value), ast.unparse(node)


@pytest.mark.parametrize("module", PACKAGES)
def test_a_string_is_a_docstring_or_part_of_an_expression(module):
    """A string that stands alone below another is a message that lost its end."""
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        own = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for place, line in enumerate(
            getattr(node, "body", []) if isinstance(getattr(node, "body", 0), list) else []
        ):
            alone = isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant | ast.JoinedStr)
            docstring = own and place == 0
            ellipsis = alone and getattr(line.value, "value", "") is Ellipsis
            assert not alone or docstring or ellipsis, f"line {line.lineno}"


def test_pixels_are_divided_by_255_in_one_place():
    """Pixels become floating-point numbers in the model; elsewhere only transparency and statistics are scaled.

    The findings on data say so in a suggestion.
    """
    allowed = {"models.references", "data.digits", "data.decode", "serving.endpoints"}
    allowed.add("diagnosis.finding_kinds_data")
    for module, path in FILES.items():
        if not module.startswith("benchmarks") and module.removeprefix("keras_cnn.") not in allowed:
            assert not re.search(r"(?<!/)/ ?(255|WHITE)\b", path.read_text()), path


def test_importing_the_packages_imports_no_tensorflow():
    code = (
        "import sys, keras_cnn, keras_cnn.cli, tuning; "
        "assert not {'tensorflow', 'keras', 'keras_tuner', 'streamlit', 'ray'} & set(sys.modules); "
        "keras_cnn.TrainSettings()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_name_of_the_package_can_be_imported():
    import keras_cnn

    for name in keras_cnn.__all__:
        assert getattr(keras_cnn, name) is not None


def test_requirements_hold_the_tools_of_the_dev_group():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith(("#", "-e"))] == groups["dev"]


TEXT_FILES = {"read_text", "write_text", "open", "fdopen"}


def _names_no_encoding(call: ast.Call) -> bool:
    """Whether a call opens a file, or a pipe, as text in the encoding of the locale."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    name = getattr(call.func, "attr", "open" if getattr(call.func, "id", "") == "open" else "")
    if "encoding" in keywords:
        return False
    if getattr(keywords.get("text"), "value", None) is True:
        return True
    modes = [value for value in [*call.args, keywords.get("mode")] if isinstance(value, ast.Constant)]
    binary = any(isinstance(mode.value, str) and "b" in mode.value for mode in modes)
    owner = getattr(getattr(call.func, "value", None), "id", "")
    return name in TEXT_FILES and not binary and owner not in ("os", "Image", "zipfile", "tarfile")


@pytest.mark.parametrize("module", [name for name in FILES if not name.startswith("benchmarks")])
def test_text_is_read_and_written_in_a_named_encoding(module):
    tree = ast.parse(FILES[module].read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [call.lineno for call in calls if _names_no_encoding(call)] == []
