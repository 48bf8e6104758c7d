"""The Terraform under infra/: formatted, valid, tested, and deploying what the function needs."""

import ast
import json
import os
import re
import shutil
import sys

import pytest

from function.generation.models import RETIREMENT_NOTICE_DAYS
from function.settings import Settings
from tests.terraform import (
    APPLIED,
    INFRA,
    ROOT,
    TEST_TIMEOUT_S,
    deployment_copy,
    needs_terraform,
    run,
    scripted,
    terraform,
)
from tests.test_supply_chain import pins

__all__ = ["terraform"]  # a fixture

TOOLS = ROOT / "function" / "tools"
BLOCK = re.compile(r'^(resource|data|variable|output) "([^"]+)"(?: "([^"]+)")? \{$', re.MULTILINE)


@needs_terraform
def test_is_formatted():
    check = run(["terraform", "fmt", "-check", "-diff", "-recursive", "."], INFRA)
    assert check.returncode == 0, check.stdout


@needs_terraform
def test_fits_the_providers_schemas(terraform):
    command, folder = terraform
    check = run([*command, "validate", "-no-color"], folder, TEST_TIMEOUT_S)
    assert check.returncode == 0, check.stderr


@needs_terraform
def test_keeps_its_own_promises(terraform):
    command, folder = terraform
    check = run([*command, "test", "-no-color"], folder, TEST_TIMEOUT_S)
    assert check.returncode == 0, check.stdout + check.stderr
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", check.stdout)


PAUSE_RUN = """
run "pause" {
  command = plan

  variables {
    paused = true
  }
}
"""


@needs_terraform
def test_the_switch_takes_the_right_to_call_and_nothing_else(terraform):
    """No new revision, no replaced trigger: what is in the queue stays there, and what is at work is finished."""
    command, folder = terraform
    with scripted(folder, APPLIED + PAUSE_RUN) as only:
        check = run([*command, "test", "-json", "-verbose", "-var=use_gcloud=false", only], folder)
    assert check.returncode == 0, check.stdout + check.stderr
    lines = [json.loads(line) for line in check.stdout.splitlines()]
    (plan,) = [line["test_plan"] for line in lines if line["type"] == "test_plan"]
    changes = {change["address"]: change["change"]["actions"] for change in plan["resource_changes"]}
    assert "google_cloudfunctions2_function.composite" in changes
    assert {address: actions for address, actions in changes.items() if actions != ["no-op"]} == {
        "google_cloud_run_v2_service_iam_member.trigger_invoker[0]": ["delete"],
        'google_cloud_run_v2_service_iam_member.http_invoker["group:shop@example.com"]': ["delete"],
        'google_monitoring_alert_policy.promql["refused"]': ["update"],  # switched off meanwhile
        'google_monitoring_alert_policy.promql["stalled"]': ["update"],
    }


SUBSCRIPTION = "projects/demo-project/subscriptions/eventarc-us-central1-composite-1-sub-7"
FAKE_GCLOUD = f"""#!/bin/sh
echo "$*" >> "$GCLOUD_CALLS"
case "$*" in
  *"triggers describe"*) echo {SUBSCRIPTION} ;;
  *"keyrings describe"*) exit 1 ;;
esac
"""


@needs_terraform
def test_gcloud_does_what_the_provider_cannot(terraform, tmp_path):
    """The agents are made before the first trigger, the trigger's subscription gets its dead letter topic, and a key
    ring that is not there is made; a key that is there stays as it is."""
    command, folder = terraform
    gcloud, calls = tmp_path / "gcloud", tmp_path / "calls"
    gcloud.write_text(FAKE_GCLOUD)
    gcloud.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GCLOUD_CALLS": str(calls)}
    with scripted(folder, APPLIED) as only:
        check = run([*command, "test", "-no-color", "-var=make_signing_key=true", only], folder, env=environment)
    assert check.returncode == 0, check.stdout + check.stderr
    made = calls.read_text().splitlines()
    agents = [line for line in made if line.startswith("beta services identity create")]
    assert sorted(agents) == [
        "beta services identity create --quiet --service=eventarc.googleapis.com --project=demo-project",
        "beta services identity create --quiet --service=pubsub.googleapis.com --project=demo-project",
    ]
    keys = [line for line in made if line.startswith("kms ")]
    where = "--quiet --location=us-central1 --project=demo-project"
    assert keys == [
        f"kms keyrings describe composite-signing {where}",
        f"kms keyrings create composite-signing {where}",
        f"kms keys describe credentials --keyring=composite-signing {where}",
    ]
    described, allowed, updated = [line for line in made if line not in agents + keys]
    assert described.startswith(
        "eventarc triggers describe projects/demo-project/locations/us-central1/triggers/composite-1 "
    )
    assert f"add-iam-policy-binding {SUBSCRIPTION}" in allowed
    assert "service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com --role=roles/pubsub.subscriber" in allowed
    assert f"subscriptions update {SUBSCRIPTION}" in updated
    assert "--dead-letter-topic=projects/demo-project/topics/composite-dead-letter" in updated
    assert "--max-delivery-attempts=100" in updated
    assert "--message-retention-duration=31d" in updated


REDEPLOY_RUN = """
run "redeploy" {
  command = apply

  variables {
    max_px = 1024
  }
}

run "nothing_changes" {
  command = apply

  variables {
    max_px = 1024
  }
}
"""


@pytest.mark.exhaustive
@needs_terraform
def test_the_dead_letter_policy_is_set_again_after_a_redeploy(terraform, tmp_path):
    """And only then: an apply that deploys nothing leaves the subscription alone."""
    command, folder = terraform
    gcloud, calls = tmp_path / "gcloud", tmp_path / "calls"
    gcloud.write_text(FAKE_GCLOUD)
    gcloud.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GCLOUD_CALLS": str(calls)}
    with scripted(folder, APPLIED + REDEPLOY_RUN) as only:
        check = run([*command, "test", "-no-color", only], folder, env=environment)
    assert check.returncode == 0, check.stdout + check.stderr
    updated = [line for line in calls.read_text().splitlines() if "subscriptions update" in line]
    assert len(updated) == 2 and all("--dead-letter-topic=" in line for line in updated)


def archived(folder, *, carries_credentials):
    """What Cloud Build gets → the folder: the files that infra/source_files.tf lists, and no other."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH")
    whole, archive = folder / "whole", folder / "archive"
    infra = deployment_copy(whole)
    for path in infra.rglob("*"):
        if path.is_file() and path.name != "source_files.tf":
            path.unlink()
    (infra / "chosen.tf").write_text(f"locals {{\n  carries_credentials = {json.dumps(carries_credentials)}\n}}\n")
    asked = "jsonencode([local.source_files, local.requirements])\n"
    answer = run(["terraform", "console"], infra, input=asked)
    assert answer.returncode == 0, answer.stderr
    names, requirements = json.loads(json.loads(answer.stdout))
    for name in names:
        (archive / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(whole / name, archive / name)
    (archive / "requirements.txt").write_text(requirements)
    return archive


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The archive of the defaults."""
    return archived(tmp_path_factory.mktemp("deployed"), carries_credentials=False)


def test_the_library_of_credentials_is_deployed_where_it_is_wanted(deployed, tmp_path):
    whole, less = archived(tmp_path, carries_credentials=True) / "requirements.txt", deployed / "requirements.txt"
    assert whole.read_text() == (ROOT / "requirements.txt").read_text()
    stated, left = pins(whole), pins(less)
    assert {entry.split("==")[0] for entry in stated if entry not in left} == {"c2pa-python", "toml"}
    assert left == {entry: hashes for entry, hashes in stated.items() if entry in left}
    # Nothing is left that is there for the library alone.
    assert "    # via c2pa-python\n" not in less.read_text()


def test_the_archive_starts(deployed):
    environment = {"PATH": os.environ["PATH"], "OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "not-a-key"}
    start = run([sys.executable, "-c", "import main; main.composite; main.composite_http"], deployed, env=environment)
    assert start.returncode == 0, start.stderr


def test_the_archive_holds_every_module_that_it_imports(deployed):
    commands = deployed / "function" / "__main__.py"  # for a person's machine
    missing = [
        f"{path.relative_to(deployed)} imports {name}"
        for path in sorted(deployed.rglob("*.py"))
        for name in _imports(path)
        if name.split(".")[0] == "function" and path != commands and not _is_there(deployed / name.replace(".", "/"))
    ]
    assert not missing


def _imports(path):
    """Every dotted name that a file imports; `from a import b` gives a.b, which is a module or a name in one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def _is_there(target):
    return any(
        path.exists() for name in (target, target.parent) for path in (name.with_suffix(".py"), name / "__init__.py")
    )


def test_the_archive_leaves_a_person_s_commands_out(deployed):
    assert TOOLS.is_dir() and not (deployed / "function" / "tools").exists()


def test_what_is_deployed_imports_nothing_of_the_tools():
    deployed_files = [path for path in (ROOT / "function").rglob("*.py") if not path.is_relative_to(TOOLS)]
    importing = {path.name for path in deployed_files for name in _imports(path) if name.startswith("function.tools")}
    assert importing == {"__main__.py"}  # which starts a person's commands


MESSAGES = re.compile(r'(?:jsonPayload\.message=\\"|\bmessage += ")([a-z][a-z ]+)')


def test_every_line_that_a_metric_or_an_alert_waits_for_is_written():
    wanted = {said for name in ("metrics.tf", "log_alerts.tf") for said in MESSAGES.findall((INFRA / name).read_text())}
    assert {"settled", "model answered", "model call without an answer", "model call put off",
            "no model can be reached", "budget exhausted"} <= wanted  # fmt: skip
    code = "".join(path.read_text() for path in (ROOT / "function").rglob("*.py"))
    assert [said for said in wanted if f'"{said}"' not in code] == []


def test_the_runbook_has_a_line_for_every_alert():
    runbook = (INFRA / "README.md").read_text().lower()
    titles = re.findall(
        r'\n      title += "([^"]+)"', "".join((INFRA / name).read_text() for name in ("alerts.tf", "log_alerts.tf"))
    )
    assert len(titles) == 13
    assert [title for title in titles if f"**{title.lower()}**" not in runbook] == []
    assert "**dead letters**" in runbook


def test_the_runbook_s_commands_are_there():
    """Those of this program; gcloud's were not run."""
    text = (INFRA / "README.md").read_text() + "".join(path.read_text() for path in INFRA.glob("*.tf"))
    named = set(re.findall(r"python -m function ([a-z]+)", text))
    assert {"pause", "redrive", "status", "review"} <= named
    commands = (TOOLS / "command_group.py").read_text()
    assert [name for name in named if f'"{name}"' not in commands] == []


def test_the_defaults_are_those_of_the_code():
    text = (INFRA / "variables.tf").read_text()

    def default_of(name):
        block = text[text.index(f'variable "{name}"') :]
        return json.loads(re.search(r"default += (.+)", block)[1])

    settings = Settings.from_environment({"OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "k"})
    assert (default_of("model"), *default_of("fallback_models")) == settings.model_chain
    assert default_of("thinking_level") == settings.thinking_level
    assert (default_of("identity"), default_of("classical_fallback")) == ("auto", False)
    assert (settings.identity, settings.classical_fallback) == ("auto", False)
    allowed = re.search(r"setsubtract\(var.source_formats, (.+?)\)\)", text)
    assert tuple(json.loads(allowed[1])) == settings.source_formats
    assert default_of("on_budget") == settings.on_budget
    assert default_of("max_usd_per_day") == 25  # the code itself has none: local runs need no counter
    hours = int(re.search(r"retirement_notice_hours = (\d+)", (INFRA / "dashboard.tf").read_text())[1])
    assert hours == 24 * RETIREMENT_NOTICE_DAYS


def test_every_resource_says_why_it_exists():
    silent = []
    for path in sorted(INFRA.glob("*.tf")):
        text = path.read_text()
        for block in BLOCK.finditer(text):
            before = text[: block.start()].splitlines()
            if block[1] in {"resource", "data"} and not (before and before[-1].startswith("#")):
                silent.append(f"{path.name}: {block[2]}.{block[3]}")
    assert not silent


def test_every_variable_is_described_and_checked():
    text = (INFRA / "variables.tf").read_text()
    bodies = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert len(bodies) == text.count('\nvariable "')
    incomplete = [
        name
        for name, body in bodies
        for part in ("  type ", "  description ", "  validation {", "    error_message")
        if part not in body
    ]
    assert not incomplete
