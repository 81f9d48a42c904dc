"""keras-cnn app: the page, served by Streamlit."""

import importlib.util
import os
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_cnn.errors import InputError
from keras_cnn.parser import Parser, new_parser

ROOT = Path(__file__).parents[2]
UPLOAD = 20  # MB a file
ANY_ADDRESS = ("0.0.0.0", "::")


def parser() -> Parser:
    result = new_parser("Open the page on which exported models can be tried.")
    result.add_argument("--models", default="saved_models", help="folder of exported models")
    result.add_argument(
        "--address",
        default="127.0.0.1",
        help="where to listen; 0.0.0.0 lets everybody in who can reach this machine",
    )
    result.add_argument("--port", type=int, default=8501, help="port to listen on")
    result.add_argument(
        "--hosts",
        nargs="+",
        default=[],
        metavar="HOST",
        help="further names and addresses under which browsers reach this machine, such as that of a proxy; requests "
        "for any other host are refused",
    )
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
    flags += [f"--server.allowedHosts={host}" for host in allowed_hosts(options.address, options.hosts)]
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


def allowed_hosts(address: str, more: Sequence[str]) -> list[str]:
    """The hosts that browsers may name: a page of another site that is led here by its own DNS names that site.

    Args:
        address: where the server listens; of 0.0.0.0 and ::, this machine's name and all its addresses are allowed.
        more: further hosts.

    Returns:
        Names and addresses without ports, sorted.

    Raises:
        InputError: for a host with a port, a path or a wildcard for all.
    """
    for host in more:
        if not re.fullmatch(r"(\*\.)?[\w-]+(\.[\w-]+)*|[0-9a-fA-F:]*:[0-9a-fA-F:.]+", host):
            raise InputError(
                f"--hosts {host!r} must be a name or an address without port and path, such as photos.example.com."
            )
    hosts = {"localhost", "127.0.0.1", "::1", *more}
    return sorted(hosts | (_machine() if address in ANY_ADDRESS else {address}))


def _machine() -> set[str]:
    """The machine's name and the addresses of its network interfaces."""
    import psutil

    addresses = {
        entry.address.partition("%")[0]
        for part in psutil.net_if_addrs().values()
        for entry in part
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    }
    return addresses | {socket.gethostname()}
