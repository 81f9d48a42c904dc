"""The package's own messages, and TensorFlow's, which stay off the terminal."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_cnn import logs
from keras_cnn.stderr_filter import is_log_line

NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "E0000 00:00:1732579200.123456    4711 meta_optimizer.cc:967] remapper failed: INVALID_ARGUMENT",
    "I0000 00:00:1732579200.123456 4711 cpu_feature_guard.cc:210] This TensorFlow binary is optimized",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.",
    "2026-11-26 01:12:16.123456: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:31] Could not find cuda drivers",
    "W1126 01:12:16.123456    4711 gpu_device.cc:2342] Cannot dlopen some GPU libraries.",
)


def test_messages_go_to_stderr_and_warnings_say_so(capsys):
    logs.print_to("stderr")
    logging.getLogger("keras_cnn.training").info("epoch 1")
    logging.getLogger("tuning").warning("disk is nearly full")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "epoch 1\nwarning: disk is nearly full\n")


def test_redirected_messages_reach_the_callback_alone(capsys):
    found = []
    with logs.redirected(found.append):
        logging.getLogger("keras_cnn.serving").info("done")
    assert found == ["done"] and capsys.readouterr().err == ""


@pytest.mark.parametrize("line", NOISE)
def test_log_line_of_tensorflow_is_recognized(line):
    assert is_log_line(line.encode())


PROGRAM = """
import os, subprocess, sys
from keras_cnn import stderr_filter
stderr_filter.install()
noise, child = sys.argv[1:]
subprocess.run(["sh", "-c", 'echo "$0" >&2; echo child >&2', child])
os.write(2, noise.encode() + b"\\nown\\nF0000 00:00:1.1 1 check failed\\n")
print("python", file=sys.stderr)
raise ValueError("a traceback")
"""


def test_stderr_filter_drops_log_lines_of_children_and_keeps_the_rest():
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-c", PROGRAM, NOISE[0], NOISE[1]]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 1
    for line in ("child", "own", "F0000 00:00:1.1 1 check failed", "python", "ValueError: a traceback"):
        assert f"{line}\n" in run.stderr
    assert not any(line in run.stderr for line in NOISE)


@pytest.mark.parametrize("module", ["keras_cnn", "tuning"])
def test_each_command_line_installs_the_filter(module, tmp_path):
    """A command that writes a log line of TensorFlow's, then one of its own, takes the place of the real ones."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, keras_cnn.cli, tuning.cli\n"
        f"def main(arguments): os.write(2, {(NOISE[0] + chr(10) + 'own' + chr(10)).encode()!r}); return 0\n"
        "keras_cnn.cli.main = tuning.cli.main = main\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    command = [sys.executable, "-m", module]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (run.returncode, run.stderr) == (0, "own\n")
