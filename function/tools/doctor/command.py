"""`python -m function doctor`: what would keep pairs from being made, and what to do about each."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from function.service import Service
from function.tools.cli.terminal import bucket_and_prefix, fail
from function.tools.doctor.clock import check_clock
from function.tools.doctor.credentials import check_default_credentials, check_key
from function.tools.doctor.deployment import DEFAULT_NAME, DEFAULT_REGION, of_the_deployed, of_this_machine
from function.tools.doctor.environment import check_buckets_differ, check_caps, check_warnings, read_settings
from function.tools.doctor.finding import Report
from function.tools.doctor.signing import check_signing
from function.tools.explain import UsageError

if TYPE_CHECKING:
    from function.delivery.services import Services
    from function.generation.gemini.client import GeminiClient
    from function.settings import Settings

HELP = """\
Looks at settings, caps, clock, credentials, models, quota and buckets, and says in a line each how it is and what to
do. It calls the model service with what is free; an object is written to the output bucket and deleted again.

  python -m function doctor                       what this machine's environment says
  python -m function doctor --deployed            what the deployed function's says, read with gcloud
  python -m function doctor --deployed --paid     and makes two pictures; the price is said before, and asked about

Exit status: 0 no problem (there may be warnings), 1 a problem, 2 it could not look.
"""
INTERRUPTED = 130


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments; `run` is set to what runs it."""
    parser.description = HELP
    parser.add_argument("--deployed", action="store_true", help="examine the deployed function's environment")
    stated = "with --deployed; default: what Terraform deployed, else {}"
    parser.add_argument("--name", help=stated.format(DEFAULT_NAME))
    parser.add_argument("--region", help=stated.format(DEFAULT_REGION))
    parser.add_argument("--project", help=stated.format("gcloud's own"))
    parser.add_argument("--input", metavar="gs://INPUT", help="the input bucket (known with --deployed)")
    parser.add_argument("--paid", action="store_true", help="make two pictures of the shipped pair, and compare them")
    parser.add_argument("--yes", action="store_true", help="do not ask before spending")
    parser.add_argument(
        "--folder", type=Path, default=Path("composite-doctor"), help="where these pictures go (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look at everything, print a line each → the exit status."""
    report = Report(as_json=args.json)
    try:
        if args.json and args.paid and not args.yes:
            raise UsageError("with --json nobody can be asked: add --yes to spend")
        _examine(args, report)
    except UsageError as problem:
        return fail(problem)
    except KeyboardInterrupt:
        print()
        return INTERRUPTED
    return 1 if report.has_problem else 0


def _examine(args: argparse.Namespace, report: Report) -> None:
    given = bucket_and_prefix(args.input)[0] if args.input else None
    deployment = of_the_deployed(args.name, args.region, args.project) if args.deployed else of_this_machine()
    settings, found = read_settings(deployment.environment)
    if settings is not None:
        report.hide(settings.api_key)
    report.add([*deployment.findings, *found])
    if settings is None:
        report.add([check_clock()])
        return
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
    if args.paid and drawing:
        from function.tools.doctor.paid import make_pictures  # noqa: PLC0415 (pixel libraries)

        make_pictures(services, drawing, args.folder, report, yes=args.yes)


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
