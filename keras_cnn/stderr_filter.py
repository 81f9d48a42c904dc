"""Keeps log lines of TensorFlow's C++ code off the terminal of a command.

TensorFlow writes some of them before or despite `TF_CPP_MIN_LOG_LEVEL`: those of absl before its initialization, of
oneDNN, of CUDA libraries that are missing, of graph optimizers. They go to file descriptor 2, which worker processes
inherit, so descriptor 2 becomes a pipe; Python's own `sys.stderr` stays on the terminal.
"""

import atexit
import os
import re
import sys
import threading

LOG_LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    rb"|[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ "  # absl: severity, month and day, time, thread
    rb"|[IWE]0000 00:00:\d+\.\d+ +\d+ "  # absl before its initialization: seconds since 1970
    rb"|To enable the following instructions: "  # goes on from a line of absl
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "  # TensorFlow's own format
)


def install() -> None:
    """Filter descriptor 2 until the process ends; not if the user has set `TF_CPP_MIN_LOG_LEVEL`."""
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, errors="backslashreplace", closefd=False)
    thread = threading.Thread(target=_copy, args=(reader, terminal), daemon=True)
    thread.start()
    atexit.register(_uninstall, terminal, thread)


def is_log_line(line: bytes) -> bool:
    """Whether TensorFlow's C++ code wrote it, at a level below fatal."""
    return LOG_LINE.match(line) is not None


def _copy(reader: int, terminal: int) -> None:
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            if not is_log_line(line):
                os.write(terminal, line)


def _uninstall(terminal: int, thread: threading.Thread) -> None:
    """Closes the pipe by putting the terminal back; a child process that lives on keeps it open, so wait no longer."""
    os.dup2(terminal, 2)
    thread.join(timeout=1)
