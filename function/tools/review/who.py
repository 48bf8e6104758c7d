"""Who runs a command, as far as this machine knows."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess

import google.auth
from google.auth.exceptions import DefaultCredentialsError

GCLOUD_TIMEOUT_S = 30.0


def who() -> str:
    """The account that storage is called as, else the one that gcloud is signed in with, else user@machine."""
    return _account_of_credentials() or _account_of_gcloud() or f"{getpass.getuser()}@{socket.gethostname()}"


def _account_of_credentials() -> str:
    try:
        credentials, _ = google.auth.default()
    except DefaultCredentialsError:
        return ""
    stated = getattr(credentials, "service_account_email", "") or getattr(credentials, "account", "")
    return stated if "@" in stated else ""


def _account_of_gcloud() -> str:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return ""
    try:
        said = subprocess.run(
            [gcloud, "config", "get-value", "account", "--quiet"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=GCLOUD_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):
        return ""
    account = said.stdout.strip()
    return account if said.returncode == 0 and "@" in account else ""
