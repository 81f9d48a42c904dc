"""README and docs are true: commands parse, code runs, names exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(<!-- not run: [^>]+ -->\n)?([ ]*)```(\w+)\n(.*?)\n[ ]*```", re.S)
sys.path.insert(0, str(ROOT / "docs"))


def blocks(page: Path, *languages: str) -> list[str]:
    """The code of a page in these languages, without its indentation; not what is marked as not run."""
    return [
        re.sub(rf"^{indent}", "", code, flags=re.M)
        for skipped, indent, language, code in BLOCK.findall(page.read_text())
        if language in languages and not skipped
    ]


def commands(page: Path) -> list[list[str]]:
    """The `keras-cnn` commands of a page, as words."""
    found = []
    for code in blocks(page, "sh", "bash", "console"):
        for line in code.replace("\\\n", " ").splitlines():
            line = line.removeprefix("$ ")
            if line.startswith("keras-cnn "):
                found.append(shlex.split(line, comments=True)[1:])
    return found


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_of_a_page_parse(page):
    from hooks import parser_of

    for words in commands(page):
        if words[0].startswith("-"):
            continue
        parser_of(words[0]).parse_args(words[1:])  # exits on an unknown option or a wrong value


def test_every_command_has_a_page_with_its_options():
    from keras_cnn.cli import COMMANDS, TUNING_COMMANDS

    for command in (*COMMANDS, *TUNING_COMMANDS):
        page = ROOT / "docs" / "commands" / f"{command}.md"
        assert f"<!-- options {command} -->" in page.read_text()
        assert f"commands/{command}.md" in (ROOT / "README.md").read_text()


def test_option_tables_name_every_option():
    from hooks import on_page_markdown

    table = on_page_markdown("<!-- options train -->")
    assert "| `--batch_size` |" in table and "| `--seed` |" in table and "--print_config" not in table
    assert "| `directory` |" in on_page_markdown("<!-- options status -->")


def test_relative_links_of_the_readme_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


RUN_PYTHON = """
import sys
from pathlib import Path
for path in sys.argv[1:]:
    print("==", path, flush=True)
    exec(compile(Path(path).read_text(), path, "exec"), {"__name__": "documentation"})
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, keras_cnn) -> Path:
    """A folder in which the first commands of the quickstart have been run, with an image."""
    folder = tmp_path_factory.mktemp("documentation")
    for words in (["train", "--epochs", 1, "--options.width", 8], ["export", "runs/digits-vgg-1"]):
        run = keras_cnn(*words, folder=folder)
        assert run.returncode == 0, run.stderr
    from PIL import Image

    Image.new("L", (16, 16), 90).save(folder / "scan.png")
    return folder


@pytest.mark.slow
def test_python_code_of_all_pages_runs(workplace):
    scripts = []
    for page in PAGES:
        code = "\n\n".join(blocks(page, "python"))
        if code:
            scripts.append(workplace / f"{len(scripts):02d}-{page.stem}.py")
            scripts[-1].write_text(code)
    command = [sys.executable, "-c", RUN_PYTHON, *map(str, scripts)]
    run = subprocess.run(command, cwd=workplace, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-500:] + run.stderr[-2000:]


@pytest.mark.slow
def test_commands_of_the_quickstart_run(workplace, keras_cnn):
    for words in commands(ROOT / "docs" / "quickstart.md"):
        if words[:2] == ["train", "--epochs"] or words[0] in ("app", "export") or "folder:/photos" in words:
            continue  # done by `workplace`, serves for ever, or needs photos
        run = keras_cnn(*words, folder=workplace)
        assert run.returncode == 0, (words, run.stderr)
