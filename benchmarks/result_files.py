"""Result files of the benchmarks, `benchmarks/results/NAME.json`, of which the tables in docs/benchmarks are made.

Each holds `command`, `date`, `machine`, `note` and the numbers of its benchmark. Importing this imports no TensorFlow.
"""

import argparse
import datetime
import platform
import shlex
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.tables import TABLES
from keras_cnn.errors import InputError, unknown_name
from keras_cnn.files import write_json
from keras_cnn.provenance import provenance
from keras_cnn.records import read_json

FOLDER = Path(__file__).parent / "results"
REQUIRED = ("command", "date", "machine")
# flag in /proc/cpuinfo -> the instruction set, of those on which the speed of a convolution depends
INSTRUCTION_SETS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX INT8",
    "amx_bf16": "AMX BF16",
}


def result_options() -> argparse.ArgumentParser:
    """The options of every benchmark that writes a result file: a parent of its parser."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="instead of benchmarks/results/NAME.json"
    )
    parser.add_argument(
        "--note", default="", help="what a reader of the numbers has to know, such as other work"
    )
    return parser


def write_result(name: str, numbers: dict) -> None:
    """Write the result file of the benchmark that runs, and print its tables.

    Args:
        name: of the result file, without its ending.
        numbers: what was measured, unrounded.
    """
    options, command = result_options().parse_known_args(sys.orig_argv[1:])
    record = {
        "command": shlex.join(["python", *command]),
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "note": options.note,
        **numbers,
    }
    write_json(options.results or FOLDER / f"{name}.json", record)
    if name in TABLES:
        print(TABLES[name](record))


def read_result(name: str, folder: Path = FOLDER) -> dict:
    """The content of a result file.

    Args:
        name: of the file, without its ending.
        folder: where it is.

    Raises:
        InputError: if it is missing, or lacks the command, the date or the machine.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        raise InputError(f"there is no result file {path}: run the benchmark that writes it.")
    record = read_json(path)
    lacking = [field for field in REQUIRED if not record.get(field)]
    if lacking:
        raise InputError(f"the result file {path} lacks {', '.join(lacking)}: run its benchmark again.")
    return record


def published(name: str, record: dict) -> str:
    """The tables of a result in Markdown, and a line with its command, date, machine, file and note.

    Raises:
        InputError: if there are no tables of this name.
    """
    if name not in TABLES:
        raise unknown_name("table of a benchmark", name, TABLES)
    measured = f"`{record['command']}`, {record['date']}; {machine_text(record['machine'])}"
    source = f"{measured}; `benchmarks/results/{name}.json`. {record.get('note', '')}".strip()
    return f"{TABLES[name](record)}\n\n{source}"


def machine() -> dict:
    """Processor, instruction sets and memory; cores, Python, packages and commit as in `provenance`."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = facts.get("flags", "").split()
    return {
        "processor": facts.get("model name", platform.machine()),
        "instruction_sets": [name for flag, name in INSTRUCTION_SETS.items() if flag in flags],
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        **provenance(),
    }


def machine_text(facts: dict) -> str:
    """A machine in words, without what is not known of it."""
    packages = facts.get("packages", {})
    numbers = {
        "{} cores": facts.get("processors"),
        "{} GiB": facts.get("memory_gib"),
        "Python {}": facts.get("python"),
        "TensorFlow {}": packages.get("tensorflow"),
        "Keras {}": packages.get("keras"),
    }
    known = [text.format(value) for text, value in numbers.items() if value is not None]
    return ", ".join([facts["processor"], *facts.get("instruction_sets", []), *known])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest of what was measured repeatedly."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
