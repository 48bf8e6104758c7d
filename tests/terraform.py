"""A copy of infra/ with its providers, for tests that plan or apply it without a cloud.

What needs the providers' schemas gets them by `terraform init`, or, where no registry can be reached, from a
command that stands in for the providers, named by OFFLINE_PROVIDERS (put before `terraform` on the command line).
"""

import os
import shlex
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INFRA = ROOT / "infra"
INIT_TIMEOUT_S = 180  # the google provider alone is 100 MB; without a registry this is how long it takes to skip
TEST_TIMEOUT_S = 1800  # a minute on an idle machine

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")


def run(command, folder, timeout=TEST_TIMEOUT_S, **options):
    return subprocess.run(command, cwd=folder, timeout=timeout, text=True, capture_output=True, check=False, **options)


def deployment_copy(folder):
    """Everything that infra/ looks at, in a folder of its own: nothing is written into the work tree."""
    ignore = shutil.ignore_patterns("__pycache__", ".terraform*", "build", "*.tfstate*", "*.tfvars", ".ruff_cache")
    for name in ("function", "infra"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("main.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder / "infra"


@pytest.fixture(scope="module")
def terraform(tmp_path_factory):
    """A copy of infra/ with its providers → (command, folder).

    The archive's code is there by name and empty: a set of its two megabytes takes each plan 2.5 s to hash.
    What the archive holds is tested by itself, with the files as they are.
    """
    folder = deployment_copy(tmp_path_factory.mktemp("deployment"))
    for path in (folder.parent / "function").rglob("*.py"):
        path.write_bytes(b"")
    command = [*shlex.split(os.environ.get("OFFLINE_PROVIDERS", "")), "terraform"]
    if len(command) == 1:
        try:
            init = run(["terraform", "init", "-backend=false", "-input=false"], folder, INIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pytest.skip("terraform init did not end; set OFFLINE_PROVIDERS to test without a registry")
        if init.returncode:
            pytest.skip("no providers from the registry; set OFFLINE_PROVIDERS to test without it")
    return command, folder


APPLIED = """
mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_data "google_storage_project_service_account" {
    defaults = { member = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com" }
  }
  override_resource {
    target = google_cloudfunctions2_function.composite
    values = { event_trigger = { trigger = "projects/demo-project/locations/us-central1/triggers/composite-1" } }
  }
  override_resource {
    target = google_pubsub_topic.dead_letter[0]
    values = { id = "projects/demo-project/topics/composite-dead-letter" }
  }
}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}
mock_provider "random" {}

variables {
  project_id    = "demo-project"
  http_invokers = ["group:shop@example.com"]
}

run "apply" {
  command = apply
}
"""


@contextmanager
def scripted(folder, text):
    """A test file that is there for this one test → what tells `terraform test` to run it and no other."""
    test_file = folder / "tests" / "scripted.tftest.hcl"
    test_file.write_text(text)
    try:
        yield f"-filter={test_file.relative_to(folder)}"
    finally:
        test_file.unlink()
