"""keras-cnn app: the page, served by Streamlit."""

import importlib.util
import os
import sys
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.parser import Parser, new_parser

ROOT = Path(__file__).parents[2]
UPLOAD = 20  # MB a file


def parser() -> Parser:
    result = new_parser("Open the page on which exported models can be tried.")
    result.add_argument("--models", default="saved_models", help="folder of exported models")
    result.add_argument(
        "--address",
        default="127.0.0.1",
        help="where to listen; 0.0.0.0 lets everybody in who can reach this machine",
    )
    result.add_argument("--port", type=int, default=8501, help="port to listen on")
    return result


def run(options) -> None:
    """Becomes Streamlit's server; InputError if it is not installed."""
    for package in ("streamlit", "streamlit_drawable_canvas"):
        if importlib.util.find_spec(package) is None:
            name = package.replace("_", "-")
            raise InputError(f"the page needs {name}: pip install {name}.")
    if not 0 < options.port < 65536:
        raise InputError(f"port={options.port} must be in 1..65535.")
    settings = {
        "server.address": options.address,
        "server.port": options.port,
        "server.headless": "true",  # neither asks for an e-mail address nor opens a browser
        "server.fileWatcherType": "none",
        "server.maxUploadSize": UPLOAD,
        "browser.serverAddress": options.address,
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",  # tracebacks, with paths of this machine, stay in the terminal
    }
    flags = [f"--{name}={value}" for name, value in settings.items()]
    script = ROOT / "keras_cnn" / "serving" / "app" / "page.py"
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    os.execve(
        sys.executable,
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            *flags,
            "--",
            str(Path(options.models).resolve()),
        ],
        {**os.environ, "PYTHONPATH": paths},
    )
