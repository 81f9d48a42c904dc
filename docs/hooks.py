"""MkDocs hooks: tables that are made from the code and from results of benchmarks while the documentation is built.

A page asks for one with a comment of its own line, such as `<!-- options train -->` or `<!-- result crash -->`.
"""

import importlib
import re
import sys
from argparse import SUPPRESS
from pathlib import Path

ROOT = str(Path(__file__).parents[1])
MARKER = re.compile(r"^<!-- (options|architectures|commands|findings|result)(?: ([\w-]+))? -->$", re.M)


def on_page_markdown(markdown: str, **_) -> str:
    """Replace the markers of a page by their tables."""
    return MARKER.sub(lambda match: TABLES[match[1]](match[2]), markdown)


def parser_of(command: str):
    """The parser of a command of `keras-cnn`."""
    from keras_cnn.cli import COMMANDS

    if command in COMMANDS:
        return importlib.import_module(f"keras_cnn.cli.{COMMANDS[command][0]}").parser()
    return importlib.import_module("tuning.cli").PARSERS[command]()


def _options(command: str) -> str:
    rows = []
    for action in parser_of(command)._actions:
        names = [name for name in action.option_strings if name.startswith("--")]
        if action.help == SUPPRESS or {"--help", "--print_config"} & set(names):
            continue
        name = f"`{names[0]}`" if names else f"`{action.dest}`"
        default = "" if action.default in (None, SUPPRESS, "", [], {}) else f"`{action.default}`"
        rows.append(f"| {name} | {_cell(action.help)} | {default} |")
    return "\n".join(["| option | meaning | default |", "| --- | --- | --- |", *rows])


def _cell(text: str | None) -> str:
    text = re.sub(r"\s*\((?:type|required|default): [^()]*(?:\([^()]*\))?[^()]*\)", "", text or "")
    return _escaped(text)


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _commands(_) -> str:
    from keras_cnn.cli import COMMANDS, TUNING_COMMANDS

    texts = {name: text for name, (_, text) in COMMANDS.items()} | TUNING_COMMANDS
    rows = [f"| [`{name}`]({name}.md) | {text} |" for name, text in texts.items()]
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows])


def _architectures(_) -> str:
    from keras_cnn.models.registry import ARCHITECTURES, describe_options

    rows = []
    for name, architecture in ARCHITECTURES.items():
        options = "; ".join(
            f"`{option}` {found['allowed']} ({found['default']!r})"
            for option, found in describe_options(name).items()
        )
        rows.append(f"| `{name}` | {architecture.task} | {options} |")
    return "\n".join(["| name | task | options: values (default) |", "| --- | --- | --- |", *rows])


def _findings(_) -> str:
    from keras_cnn.diagnosis.findings import FINDINGS

    rows = []
    for name, kind in FINDINGS.items():
        suggestions = "; or ".join(suggestion.what for suggestion in kind.suggestions)
        rows.append(
            f"| `{name}` | {' | '.join(map(_escaped, (kind.meaning, kind.threshold, suggestions)))} |"
        )
    return "\n".join(["| name | meaning | threshold | suggestion |", "| --- | --- | --- | --- |", *rows])


def _result(name: str) -> str:
    if (
        ROOT not in sys.path
    ):  # `benchmarks` is not installed; MkDocs resets the path after it has read this file
        sys.path.append(ROOT)
    from benchmarks.result_files import published, read_result
    from keras_cnn.errors import InputError

    try:
        return published(name, read_result(name))
    except InputError as error:
        from mkdocs.exceptions import PluginError  # here, as tests read tables where MkDocs is not installed

        raise PluginError(str(error)) from None


TABLES = {
    "options": _options,
    "commands": _commands,
    "architectures": _architectures,
    "findings": _findings,
    "result": _result,
}
