"""Ray's token is in a file that its owner alone can read, whatever the umask."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keras_cnn.errors import InputError
from tuning.executors.ray_token import check_token, token_path

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "clusters.md"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory without a token, and the usual umask, in which new files are readable by all."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    before = os.umask(0o022)
    yield tmp_path
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_token_is_created_for_its_owner_alone_and_kept(home):
    check_token(create=True)
    token = (home / ".ray" / "auth_token").read_text()
    assert re.fullmatch("[0-9a-f]{64}", token) and mode_of(home / ".ray" / "auth_token") == 0o600
    check_token(create=True)
    assert (home / ".ray" / "auth_token").read_text() == token


def test_token_is_not_created_to_join_a_cluster_or_where_it_is_given(home, monkeypatch):
    check_token(create=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 64)
    check_token(create=True)
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    check_token(create=True)
    assert not (home / ".ray").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_token_that_others_can_read_or_write_is_refused(home, monkeypatch, mode):
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(home / "token"))
    token_path().write_text("a" * 64)
    token_path().chmod(mode)
    with pytest.raises(InputError, match=rf"token has mode 0{mode:o}.*chmod 600"):
        check_token(create=True)
    token_path().chmod(0o600)
    check_token(create=True)


def test_recipe_of_the_documentation_creates_a_token_for_its_owner_alone(home):
    [recipe] = re.findall(r"^.*ray get-auth-token --generate.*$", DOCUMENTATION.read_text(), re.M)
    ray = Path(sys.executable).with_name("ray")
    if not ray.exists() and not shutil.which("ray"):
        pytest.skip("the extra `ray` is not installed")
    path = f"{ray.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", recipe], check=True, env={**os.environ, "PATH": path}, timeout=120)
    assert mode_of(home / ".ray" / "auth_token") == 0o600
