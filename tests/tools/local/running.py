"""`demo` and `local` as a person runs them: from another folder, without this project's own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from PIL import Image

from tests.support import PATIENCE_S, product_png, scene_array, wait_until

ROOT = Path(__file__).parents[3]
CREDENTIALS = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GEMINI_BASE_URL")


def environment(**changes: str) -> dict[str, str]:
    """This process's own without credentials."""
    own = {name: value for name, value in os.environ.items() if name not in CREDENTIALS}
    return {**own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **changes}


def run(*arguments: object, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "function", *map(str, arguments)],
        cwd=cwd, env=environment(**changes), capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False,
    )  # fmt: skip


def start_local(folder: Path, said: IO[str] | int, **changes: str) -> subprocess.Popen[str]:
    """Start `local` on a free port; the caller ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "function", "local", str(folder), "--port", "0"],
        cwd=folder.parent, env=environment(**changes), stdin=said if isinstance(said, int) else None, stdout=said,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def processes_under(folder: Path) -> list[str]:
    """Command lines of living processes that write their log below `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            logs_here = str(folder) in str((entry / "fd" / "1").readlink())
            alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue
        if logs_here and alive:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_for(path: Path) -> None:
    """Until the file is there."""
    wait_until(path.exists)


def drop_pair(folder: Path) -> None:
    """A small scene, a product, and after them the manifest `shop/pair.json` that names them."""
    inbox = folder / "inbox" / "shop"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "p.png").write_bytes(product_png())
    Image.fromarray(scene_array()).save(inbox / "s.webp", quality=90)
    (inbox / "pair.json").write_text('{"scene": "s.webp", "product": "p.png", "max_px": 512, "attempts": 1}')
