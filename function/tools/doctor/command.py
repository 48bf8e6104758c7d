"""`python -m function doctor`: what would keep pairs from being made, and what to do about each."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from function.service import Service
from function.tools.cli.terminal import bucket_and_prefix, fail
from function.tools.doctor.clock import check_clock
from function.tools.doctor.credentials import check_default_credentials, check_key
from function.tools.doctor.deployment import DEFAULT_NAME, DEFAULT_REGION, Deployment, of_the_deployed, of_this_machine
from function.tools.doctor.environment import check_buckets_differ, check_caps, check_warnings, read_settings
from function.tools.doctor.finding import Report
from function.tools.doctor.signing import check_signing
from function.tools.explain import UsageError

if TYPE_CHECKING:
    from function.delivery.services import Services
    from function.generation.gemini.client import GeminiClient
    from function.settings import Settings

HELP = """\
Checks settings, caps, clock, credentials, models, quota and buckets, and prints one line for each: its state, and what
to do. It makes only free calls to the model service. It writes an object to the output bucket and deletes it again.

\b
  python -m function doctor                       what this machine's environment says
  python -m function doctor --deployed            what the deployed function's says, read with gcloud
  python -m function doctor --deployed --paid     and makes two pictures; the price is said before, and asked about

Exit status: 0 no problem (there may be warnings), 1 a problem, 2 it could not check.
"""
INTERRUPTED = 130
STATED = "with --deployed; default: what Terraform deployed, else {}"


@click.command(help=HELP)
@click.option("--deployed", is_flag=True, help="examine the deployed function's environment")
@click.option("--name", metavar="NAME", help=STATED.format(DEFAULT_NAME))
@click.option("--region", metavar="REGION", help=STATED.format(DEFAULT_REGION))
@click.option("--project", metavar="PROJECT", help=STATED.format("gcloud's own"))
@click.option("--input", "input_uri", metavar="gs://INPUT", help="the input bucket (known with --deployed)")
@click.option("--paid", is_flag=True, help="make two pictures of the shipped pair, and compare them")
@click.option("--yes", is_flag=True, help="do not ask before spending")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    default=Path("composite-doctor"),
    show_default=True,
    help="where these pictures go",
)
@click.option("--json", "as_json", is_flag=True, help="print JSON, one object a line")
def doctor(
    deployed: bool,
    name: str | None,
    region: str | None,
    project: str | None,
    input_uri: str | None,
    paid: bool,
    yes: bool,
    folder: Path,
    as_json: bool,
) -> int:
    """Look at everything, print a line each → the exit status."""
    report = Report(as_json=as_json)
    try:
        if as_json and paid and not yes:
            raise UsageError("with --json there is no question: add --yes to spend")
        given = bucket_and_prefix(input_uri)[0] if input_uri else None
        deployment = of_the_deployed(name, region, project) if deployed else of_this_machine()
        services, drawing = _examine(deployment, given, report)
        if paid and services and drawing:
            from function.tools.doctor.paid import make_pictures  # noqa: PLC0415 (pixel libraries)

            make_pictures(services, drawing, folder, report, yes=yes)
    except UsageError as problem:
        return fail(problem)
    except KeyboardInterrupt:
        print()
        return INTERRUPTED
    return 1 if report.has_problem else 0


def _examine(deployment: Deployment, given: str | None, report: Report) -> tuple[Services | None, list[str]]:
    """Report on all that is free → the clients, and the models that draw. `given` is an input bucket."""
    settings, found = read_settings(deployment.environment)
    if settings is not None:
        report.hide(settings.api_key)
    report.add([*deployment.findings, *found])
    if settings is None:
        report.add([check_clock()])
        return None, []
    input_bucket = given or deployment.input_bucket
    report.add(check_warnings(settings, datetime.now(UTC).date()))
    report.add([check_caps(settings), check_clock(), check_signing(settings)])
    report.add(check_buckets_differ(settings, input_bucket))
    with_identity = settings.use_vertexai or not os.environ.get("STORAGE_EMULATOR_HOST")
    has_key = settings.use_vertexai or report.add([check_key(settings)])
    has_identity = not with_identity or report.add([check_default_credentials()])
    services = Service(settings).services()
    drawing: list[str] = []
    if has_key and (has_identity or not settings.use_vertexai):
        drawing = _examine_models(services, report)
    if has_identity or os.environ.get("STORAGE_EMULATOR_HOST"):
        _examine_buckets(services, settings, input_bucket, report)
    return services, drawing


def _examine_models(services: Services, report: Report) -> list[str]:
    """Report on the chain → the models of it that answer, in its order."""
    from function.tools.doctor.models import answering, ask_models, check_models, check_quota  # noqa: PLC0415

    client = cast("GeminiClient", services.model).client
    states = ask_models(client, services.settings)
    report.add([*check_models(client, states, services.settings), check_quota(states)])
    return answering(states, services.settings)


def _examine_buckets(services: Services, settings: Settings, input_bucket: str | None, report: Report) -> None:
    from function.tools.doctor.buckets import (  # noqa: PLC0415
        check_allowed_buckets,
        check_batch_expiry,
        check_expiry,
        check_input_bucket,
        check_written_bucket,
    )

    client = services.storage.client
    if report.add([check_written_bucket(client, "output bucket", settings.output_bucket)]):
        report.add([check_expiry(client, settings.output_bucket)])
    batch_bucket = settings.batch_bucket
    if batch_bucket and report.add([check_written_bucket(client, "batch bucket", batch_bucket)]):
        report.add([check_batch_expiry(client, batch_bucket)])
    if input_bucket:
        report.add([check_input_bucket(client, input_bucket)])
    report.add(check_allowed_buckets(client, settings.allowed_buckets))
