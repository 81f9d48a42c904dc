"""The token of a Ray cluster: who has it can run code there, so that its file is readable by its owner alone."""

import os
import secrets
import stat
from pathlib import Path

from keras_cnn.errors import InputError


def token_path() -> Path:
    """The file that Ray reads the token from: RAY_AUTH_TOKEN_PATH, or ~/.ray/auth_token."""
    return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")


def check_token(create: bool) -> None:
    """Check that no one else can read the token; called before Ray reads it, or writes it with the user's umask.

    Args:
        create: whether to write a new token where there is none, as for a cluster on this machine.

    Raises:
        InputError: if the token's file can be read or written by others.
    """
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token" or os.environ.get("RAY_AUTH_TOKEN"):
        return
    path = token_path()
    if create and not path.exists():
        _write(path, secrets.token_hex(32))
    if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        raise InputError(
            f"the Ray token {path} has mode {mode:04o}, so that others can run code on your cluster. Give it mode 0600 "
            "(chmod 600), or remove it for a new one if others use this machine."
        )


def _write(path: Path, token: str) -> None:
    """A new file of mode 0600 from its first moment; one that another process has just written stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(token)
