"""What is said before anything is started: which model answers, what it may cost, and whether it can be reached."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from function.generation.models import model_table
from function.generation.pricing import typical_usd
from function.settings import TEST_SIGNER, Settings
from function.tools.local.stack import ModelAccess

CONNECT_S = 5.0


class ModelUnreachableError(Exception):
    """Nobody answers where the model should be; the message says where, and what to do."""


def announce() -> ModelAccess:
    """Say it → how the model is reached. Raises InvalidSettingsError, ModelUnreachableError."""
    access = ModelAccess.from_environment()
    print(f"model: {access.said}", flush=True)
    if os.environ.get("SIGNING_KEY", "").strip() in ("", TEST_SIGNER):
        print("signer: a test certificate, which no reader trusts; the results' credentials say so", flush=True)
    if access.real:
        name, most = access.settings.gemini_model, access.settings.max_attempts
        each = typical_usd(model_table().find(name))
        print(f"this spends money: up to {most} pictures of {name} a pair, about ${each:.3f} each", flush=True)
        for warning in access.settings.warnings(datetime.now(UTC).date()):
            print(f"warning: {warning}", flush=True)
        _connect(_model_address(access.settings))
    return access


def _model_address(settings: Settings) -> str:
    """Where the SDK would call."""
    if not settings.use_vertexai:
        return os.environ.get("GOOGLE_GEMINI_BASE_URL") or "https://generativelanguage.googleapis.com"
    location = settings.location
    host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
    return os.environ.get("GOOGLE_VERTEX_BASE_URL") or f"https://{host}"


def _connect(address: str) -> None:
    """Connect to the address, or to the proxy before it, and hang up. Raises ModelUnreachableError."""
    asked = urlsplit(address)
    proxy = None if proxy_bypass(asked.hostname or "") else getproxies().get(asked.scheme)
    called = urlsplit(proxy) if proxy else asked
    port = called.port or (80 if called.scheme == "http" else 443)
    try:
        socket.create_connection((called.hostname or "", port), CONNECT_S).close()
    except OSError as error:
        through = f" through the proxy {called.hostname}:{port}" if proxy else ""
        raise ModelUnreachableError(
            f"the model cannot be reached at {address}{through} ({error.strerror or error}); look at network and "
            "proxy, or take the key out of the environment to use the emulator"
        ) from None
