"""Whatever goes wrong, a command says it in one sentence with what to do, and shows no traceback."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from function.tools import command_group, command_line
from function.tools.cli import access
from function.tools.emulator.http_base import QuietHandler, QuietServer
from function.tools.explain import sentence
from function.tools.local import folder as local_folder
from tests.support import PATIENCE_S
from tests.tools.local.running import ROOT, environment

CLOSED = "http://127.0.0.1:1"  # nobody listens on port 1
SIGN_IN = "gcloud auth application-default login"
NOBODY = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST", "GEMINI_API_KEY")


@pytest.fixture
def said(monkeypatch, capsys, tmp_path):
    """Run a command in this process as somebody who is not signed in → (exit status, its one sentence)."""
    for name in (*NOBODY, "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-sign-in"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, **changes: str) -> tuple[int, str]:
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["python -m function", *map(str, arguments)])
        status = command_line.main()
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("error: "), lines
        return status, lines[0]

    return run


def test_without_credentials_the_command_that_signs_in_is_named_within_three_seconds(said, monkeypatch):
    """No machine of Google's answers here, and a lookup that waits for one is not waited for."""
    asked = threading.Event()
    monkeypatch.setattr(access.google.auth, "default", lambda **_: (asked.wait(PATIENCE_S), None))
    assert access.CREDENTIALS_S < 3
    monkeypatch.setattr(access, "CREDENTIALS_S", 0.1)
    assert said("status", "gs://out") == (2, f"error: you are not signed in to Google Cloud; run: {SIGN_IN}")
    asked.set()


@pytest.mark.parametrize(
    "command", ["status gs://x", "pause gs://x", "review gs://x", "redrive gs://x --output gs://y"]
)
def test_every_command_says_who_is_not_signed_in(said, command):
    assert SIGN_IN in said(*command.split(), NO_GCE_CHECK="true")[1]


def test_credentials_that_are_not_there_are_named(said):
    assert "names /no.json, which holds no" in said("status", "gs://x", GOOGLE_APPLICATION_CREDENTIALS="/no.json")[1]


def test_without_a_network_that_is_what_is_said(said, tmp_path, monkeypatch):
    """The credentials are good; who gives the token cannot be reached."""
    account = {
        "type": "external_account",
        "audience": "a",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    }
    account |= {"token_url": f"{CLOSED}/token", "credential_source": {"file": str(tmp_path / "token")}}
    (tmp_path / "account.json").write_text(json.dumps(account))
    (tmp_path / "token").write_text("x")
    status, sentence_ = said("status", "gs://x", GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "account.json"))
    assert status == 2 and "cannot be reached" in sentence_ and "look at network and proxy" in sentence_


def test_an_emulator_that_is_gone_is_said(said, monkeypatch):
    monkeypatch.setattr(access, "EMULATOR_STARTS_S", 0.0)
    _, sentence_ = said("review", "gs://x", STORAGE_EMULATOR_HOST=CLOSED)
    assert f"nothing answers at STORAGE_EMULATOR_HOST={CLOSED}; start it with `python -m function local`" in sentence_


@pytest.mark.parametrize(
    "command",
    ["status", "pause", "review", "decide --accept a", "export copies", "calibrate", "batches list"],
)
def test_a_bucket_that_is_not_there_is_said(said, gcs, command):
    name, *options = command.split()
    words = (
        [name, *options, "gs://no-such-bucket"] if options != ["copies"] else [name, "gs://no-such-bucket", "copies"]
    )
    _, sentence_ = said(*words, STORAGE_EMULATOR_HOST=gcs.url)
    assert sentence_ == "error: there is no bucket gs://no-such-bucket; correct its name, or create it"


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (403, "USER_PROJECT_DENIED", "the project is not right (wrong-one)"),
        (400, "userProjectInvalid", "set GOOGLE_CLOUD_PROJECT"),
        (403, "accessNotConfigured", "set-quota-project"),
        (403, "forbidden", "you may not read gs://x (no right to it); ask for roles/storage.objectViewer"),
        (401, "authError", SIGN_IN),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(said, refusing, code, reason, words):
    address = refusing(code, reason)
    assert words in said("status", "gs://x", STORAGE_EMULATOR_HOST=address, GOOGLE_CLOUD_PROJECT="wrong-one")[1]


@pytest.fixture
def refusing():
    """Start a storage whose every answer is this error → its address."""
    running = []

    def start(code: int, reason: str) -> str:
        error = {"code": code, "message": "no right to it", "errors": [{"reason": reason, "message": "x"}]}
        body = json.dumps({"error": error}).encode()

        class Refuses(QuietHandler):
            def do_GET(self):
                self.send_response_only(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        server = QuietServer(("127.0.0.1", 0), Refuses)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("command", ["local", "demo --folder"])
def test_a_folder_that_is_a_file_is_said(said, tmp_path, command):
    (tmp_path / "file").write_text("")
    assert "file/logs: a file stands where a folder is needed; name another" in said(*command.split(), "file")[1]


@pytest.mark.parametrize("command", ["local", "demo --folder"])
def test_a_folder_that_may_not_be_written_is_said(said, command):
    """Nobody makes folders there, not even root."""
    assert (
        "/sys/composite may not be read or written by you; change its rights"
        in said(*command.split(), "/sys/composite")[1]
    )


@pytest.mark.parametrize("command", ["local", "demo --folder"])
def test_a_disk_without_space_is_said_before_anything_starts(said, monkeypatch, command):
    monkeypatch.setattr(local_folder, "MIN_FREE_BYTES", 2**62)
    assert "here: its disk has" in said(*command.split(), "here")[1]
    assert not list(Path("here/logs").iterdir())


def test_a_tmpdir_that_takes_nothing_is_said(monkeypatch):
    """What Python itself says where it finds no place. Nobody makes files in /proc, not even root."""
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc"])
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(FileNotFoundError) as refused:
        tempfile.mkdtemp()
    assert "free some space, or set TMPDIR to another" in sentence(refused.value)


def test_a_folder_that_is_in_use_is_said(tmp_path, said):
    used = local_folder.LocalFolder(tmp_path / "here")
    used.prepare()
    with local_folder.FolderLock(used):
        assert f"is in use by process {os.getpid()}; end that one" in said("local", "here", "--port", "0")[1]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "x", "a/b"), "a/b: the disk is full; free some space"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), "set TMPDIR to another"),
        (FileNotFoundError(errno.ENOENT, "x", "a.csv"), "a.csv is not there; correct the name"),
        (OSError(errno.EROFS, "x", "a"), "its disk is read-only; name another folder"),
        (IsADirectoryError(errno.EISDIR, "x", "a"), "a is a folder, and a file is needed"),
    ],
)
def test_what_the_system_says_becomes_a_sentence(error, words):
    assert words in sentence(error)


@pytest.mark.parametrize("name", ["spring.xlsx", "SPRING.XLSX", "spring.ods"])
def test_a_workbook_is_to_be_saved_as_csv(said, tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    _, sentence_ = said("submit", name, "gs://x", "--dry-run", NO_GCE_CHECK="true")
    assert f"{name} is a workbook; save the sheet as “CSV UTF-8 (Comma delimited)”" in sentence_
    assert f"; {name} is a workbook" in said("submit", ".", "gs://x", "--dry-run")[1]


def test_a_mistake_of_the_program_is_one_sentence_that_says_where(said, monkeypatch):
    monkeypatch.setitem(command_group.COMMANDS, "schema", ("function.tools.cli.schema:nothing", ""))
    status, sentence_ = said("schema", "manifest")
    assert status == 2 and "a mistake of this program, in command_group.py line " in sentence_
    assert "AttributeError" in sentence_ and "COMPOSITE_TRACEBACK=1" in sentence_


def shell(script: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script.replace("PYTHON", sys.executable)],
        cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def test_a_closed_pipe_is_no_error():
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "function", "schema", "sidecar"],
        cwd=ROOT, env=environment(), stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_behind_the_output_is_said():
    done = shell("PYTHON -m function schema sidecar > /dev/full")
    assert done.returncode == 2 and done.stderr.startswith(
        "error: the disk is full where this is written; free some space"
    )


def test_missing_requirements_are_named_with_the_command_that_installs_them():
    done = shell("PYTHON -S -m function demo")  # without this Python's own packages
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and "is not installed for this Python" in line
    assert f"python -m pip install -r {ROOT / 'tests/requirements.txt'}" in line
