"""Result files of benchmarks, and what the README and the documentation say of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.result_files import FOLDER, published, read_result, spread, write_result
from benchmarks.tables import TABLES
from keras_cnn import files
from keras_cnn.errors import InputError

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in FOLDER.iterdir())
PAGES = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
DATE = r"\d{4}-\d\d-\d\d"


@pytest.mark.parametrize("name", NAMES)
def test_result_file_has_command_date_and_machine(name):
    result = read_result(name)
    module = re.match(r"python -m ([\w.]+)", result["command"])[1]
    path = ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
    assert re.fullmatch(f"{DATE}( to {DATE})?", result["date"])
    assert result["machine"]["processor"] and result["machine"]["processors"]


@pytest.mark.parametrize("name", TABLES)
def test_published_result_has_tables_and_their_source(name):
    result = read_result(name)
    *tables, source = published(name, result).split("\n\n")
    assert tables[0].startswith("| ")
    assert f"`{result['command']}`, {result['date']}; {result['machine']['processor']}" in source
    assert source.endswith(result["note"])


def test_every_table_is_on_a_page_and_every_file_is_named():
    assert set(re.findall(r"^<!-- result (\w+) -->$", PAGES, re.M)) == set(TABLES)
    for name in set(NAMES) - set(TABLES):
        assert f"benchmarks/results/{name}.json" in PAGES


@pytest.mark.parametrize("name", NAMES)
def test_every_result_file_has_a_benchmark_that_writes_it(name):
    module = read_result(name)["command"].split()[2]
    path = ROOT / module.replace(".", "/")
    path = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__main__.py"
    text = path.read_text(encoding="utf-8")
    assert f'"{name}"' in text and "write_result(" in text and "result_options()" in text


@pytest.fixture
def run_as(monkeypatch, tmp_path):
    """A function that sets the command line of this process; results go to the folder of the test."""

    def set_arguments(name: str, *options: str) -> Path:
        path = tmp_path / f"{name}.json"
        module = ["-m", f"benchmarks.{name}"]
        arguments = ["/usr/bin/python3", *module, *options, "--results", str(path)]
        monkeypatch.setattr(sys, "orig_argv", arguments)
        return path

    return set_arguments


def test_write_result_is_read_back_with_its_command(run_as, tmp_path, capsys):
    run_as("lr_find", "--data", "my images", "--note", "beside other work")
    numbers = {"pairs": 4, "within_factor_3": 3, "ratio": spread([0.5, 2.0, 1.0])}
    write_result("lr_find", numbers)
    result = read_result("lr_find", tmp_path)
    assert numbers.items() <= result.items()
    assert result["command"] == "python -m benchmarks.lr_find --data 'my images'"
    assert result["note"] == "beside other work" and re.fullmatch(DATE, result["date"])
    assert "| 4 | 3 | 0.50 to 2.00 |" in capsys.readouterr().out


def test_write_result_that_fails_leaves_the_old_file(run_as, tmp_path, monkeypatch):
    path = run_as("lr_find")
    path.write_text("{}", encoding="utf-8")

    def fail(path: Path) -> None:
        raise OSError

    monkeypatch.setattr(files, "sync_file", fail)
    with pytest.raises(OSError):
        write_result("lr_find", {})
    assert [(one, one.read_text(encoding="utf-8")) for one in tmp_path.iterdir()] == [(path, "{}")]


def test_read_result_of_a_missing_file_says_so(tmp_path):
    with pytest.raises(InputError, match=r"there is no result file .*crash\.json"):
        read_result("crash", tmp_path)


def test_read_result_without_a_machine_says_so(tmp_path):
    path = tmp_path / "crash.json"
    path.write_text(json.dumps({"command": "python -m benchmarks.crash", "date": "2026-11-26"}), "utf-8")
    with pytest.raises(InputError, match="lacks machine"):
        read_result("crash", tmp_path)


def test_published_of_an_unknown_name_lists_the_tables():
    with pytest.raises(InputError, match="Did you mean 'serving'"):
        published("servin", read_result("serving"))


def test_throughput_table_shows_the_fastest_in_bold_and_leaves_cells_empty():
    row = {"net": "vgg6", "median": 1000, "min": 900, "max": 1100}
    rows = [row | {"kind": "stock"}, row | {"kind": "eager", "median": 1010}]
    lines = TABLES["throughput"]({"torch": "2.13", "rows": rows}).splitlines()
    speeds = "1,000 (900 to 1,100) |  | **1,010** (900 to 1,100) |  |  |"
    assert lines[2:] == [f"| VGG of 6 convolutions, 128, float32 | {speeds}"]


@pytest.mark.parametrize("name", ["reports", "reports_held_out"])
def test_counts_of_reports_are_those_of_their_rows(name):
    result = read_result(name)
    for found in result["sets"]:
        places = [row["place"] for row in result["rows"] if row["set"] == found["set"]]
        if places:  # there are no rows of the reports that the checks were written for
            counts = (len(places), places.count(1), places.count(1) + places.count(2))
            assert counts == (found["reports"], found["first"], found["first_two"])


def test_reading_a_result_imports_no_framework():
    code = (
        "import sys; sys.path.insert(0, 'docs'); import hooks\n"
        "assert '| random |' in hooks.on_page_markdown('<!-- result crash -->')\n"
        "assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_figures_of_the_readme_are_those_of_the_result_files():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for figure in _figures():
        assert figure in readme, figure


def _figures() -> list[str]:
    correlations = read_result("batchnorm_short_runs")["correlations"]
    found = read_result("search_cost")["contestants"]
    speedup = found["a worker a core"]["trials_per_hour"] / found["stock"]["trials_per_hour"]
    kills = sum(study["kills"] for study in read_result("crash")["studies"].values())
    seconds = {
        kind: spread(read_result("time_to_accuracy")[kind]["seconds"])["median"] for kind in ("ours", "stock")
    }
    stalls = [row for row in read_result("epoch_stall")["rows"] if row["steps"] == 10]
    stock, ours = (row["median"] for row in stalls)
    assert ours < 1.02
    fresh = read_result("diagnosis")["groups"]["fresh"]
    recall, precision = re.findall(r"\d\.\d{3}", published("diagnosis", read_result("diagnosis")))[:2]
    held_out = read_result("reports_held_out")["sets"][0]
    return [
        f"{correlations['ours']:.2f} instead of {correlations['stock']:.2f}",
        f"up to {100 * (stock - 1):.0f} %; here by less than 2 %",
        f"In {kills} random kills",
        f"{speedup:.2f} times as many trials",
        f"in {seconds['ours']:.0f} s of training on two cores, {seconds['stock'] / seconds['ours']:.1f} times",
        f"| {seconds['ours']:.0f} s of training |",
        f"on {fresh['untrainable'] + fresh['healthy']} networks of four unseen families",
        f"recall {recall}, precision {precision}",
        f"of {held_out['reports']} held-out public ones",
        f"first for {held_out['first']} ",
    ]
