"""Where the environment is read that is examined: this machine's, or that of the deployed function."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from function.settings import API_KEYS
from function.tools.doctor.finding import Finding, ok, problem
from function.tools.explain import UsageError

INFRA = Path(__file__).parents[3] / "infra"
DEFAULT_NAME, DEFAULT_REGION = "composite", "us-central1"  # of infra/variables.tf
FUNCTION_ID = re.compile(r"projects/([^/]+)/locations/([^/]+)/functions/([^/]+)")
GCLOUD_TIMEOUT_S = 120.0  # its first call of the day takes a few seconds
TERRAFORM_TIMEOUT_S = 60.0  # reads a state that may be far away
RETRY_POLICY = "RETRY_POLICY_RETRY"


@dataclass(frozen=True)
class Deployment:
    """An environment, with what is known of the function that it belongs to."""

    environment: Mapping[str, str]
    input_bucket: str | None = None
    findings: list[Finding] = field(default_factory=list)


def of_this_machine() -> Deployment:
    """The environment of this process."""
    return Deployment(dict(os.environ))


def of_the_deployed(name: str | None, region: str | None, project: str | None) -> Deployment:
    """The environment of the deployed function, read with gcloud; what is not said is what Terraform deployed.

    The key is read from Secret Manager, and kept in memory only. Raises UsageError when it cannot be read.
    """
    if not (name and region and project):
        stated = _terraform_output()
        project, region, name = project or stated[0], region or stated[1], name or stated[2]
    where = [f"--region={region}", *([f"--project={project}"] if project else [])]
    try:
        described = json.loads(_gcloud("functions", "describe", name, "--gen2", *where, "--format=json"))
        service, trigger = described["serviceConfig"], described.get("eventTrigger") or {}
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"gcloud described the function {name} in a form that is not understood") from None
    findings = [_state(name, described, service), *_trigger(trigger)]
    environment = dict(service.get("environmentVariables") or {})
    for secret in service.get("secretEnvironmentVariables") or []:
        if secret["key"] in (*API_KEYS, "SIGNING_CERTIFICATE"):
            key = _secret(secret, findings)
            environment |= {secret["key"]: key} if key else {}
    return Deployment(environment, _input_bucket(trigger), findings)


def _state(name: str, described: dict[str, Any], service: dict[str, Any]) -> Finding:
    state = described.get("state", "UNKNOWN")
    if state != "ACTIVE":
        said = "; ".join(str(one.get("message", "")) for one in described.get("stateMessages") or [])
        advice = "run `terraform apply` again, and look at the build's log if it stays so"
        return problem("deployment", f"the function {name} is {state}{': ' if said else ''}{said}", advice)
    runs_as = service.get("serviceAccountEmail", "an account that is not named")
    return ok("deployment", f"the function {name} is active, as {runs_as}; what follows is tried with your own rights")


def _trigger(trigger: dict[str, Any]) -> list[Finding]:
    if not _input_bucket(trigger):
        return [problem("trigger", "no upload starts the function", "run `terraform apply` again")]
    if trigger.get("retryPolicy") != RETRY_POLICY:
        found = "an event that fails is not delivered again, so a passing fault loses a pair"
        return [problem("trigger", found, "run `terraform apply` again")]
    return [ok("trigger", f"uploads to gs://{_input_bucket(trigger)} start the function, again until they are settled")]


def _input_bucket(trigger: dict[str, Any]) -> str | None:
    filters = trigger.get("eventFilters") or []
    return next((one.get("value") for one in filters if one.get("attribute") == "bucket"), None)


def _secret(secret: dict[str, str], findings: list[Finding]) -> str | None:
    """The key's value; None, and a finding, where it cannot be read."""
    name, version = secret["secret"], secret.get("version", "latest")
    project = [f"--project={secret['projectId']}"] if secret.get("projectId") else []
    try:
        return _gcloud("secrets", "versions", "access", version, f"--secret={name}", *project).strip()
    except UsageError as unread:
        advice = (
            f"store the key with `gcloud secrets versions add {name} --data-file=-`, or run this as an identity with "
            "roles/secretmanager.secretAccessor on it"
        )
        findings.append(problem("credentials", f"version {version} of the secret {name}: {unread}", advice))
        return None


def _terraform_output() -> tuple[str | None, str, str]:
    """Project, region and name as Terraform deployed them, else infra's defaults."""
    terraform = shutil.which("terraform")
    if terraform:
        try:
            said = subprocess.run(
                [terraform, f"-chdir={INFRA}", "output", "-raw", "function"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TERRAFORM_TIMEOUT_S, check=False,
            )  # fmt: skip
        except (subprocess.TimeoutExpired, OSError):
            return None, DEFAULT_REGION, DEFAULT_NAME
        if said.returncode == 0 and (found := FUNCTION_ID.fullmatch(said.stdout.strip())):
            return found[1], found[2], found[3]
    return None, DEFAULT_REGION, DEFAULT_NAME


def _gcloud(*arguments: str) -> str:
    """What gcloud prints. Raises UsageError, with its own last words."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise UsageError(
            "gcloud is not on PATH: install it (https://cloud.google.com/sdk/docs/install), or examine this machine's "
            "environment without --deployed"
        )
    try:
        said = subprocess.run(
            [gcloud, *arguments, "--quiet"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=GCLOUD_TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UsageError(f"gcloud {' '.join(arguments[:2])} did not end within {GCLOUD_TIMEOUT_S:.0f} s") from None
    if said.returncode:
        words = " ".join(said.stderr.split()) or f"exit status {said.returncode}"
        raise UsageError(f"gcloud {' '.join(arguments[:2])} failed: {words[-500:]}")
    return said.stdout
