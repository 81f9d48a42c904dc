"""Commands of a program: its help text, and the answer to a command that it does not have."""

import sys
from collections.abc import Mapping

from keras_cnn.errors import BAD_INPUT, unknown_name


def usage(program: str, description: str, commands: Mapping[str, str]) -> str:
    """The help text. commands: what each does, by name."""
    lines = [f"  {name:<10} {text}" for name, text in commands.items()]
    head = [f"usage: {program} COMMAND [options]", "", description, "", "commands:"]
    return "\n".join([*head, *lines, "", f"{program} COMMAND --help lists the options of a command."])


def refuse_command(name: str, commands: Mapping[str, str]) -> int:
    """Print which commands there are; returns the exit code."""
    print(f"error: {unknown_name('command', name, commands)}", file=sys.stderr)
    return BAD_INPUT
