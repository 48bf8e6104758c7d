"""What stands behind the two entry points: HTTP requests in, settled deliveries or pictures out."""

from __future__ import annotations

import atexit
import logging
import re
import sys
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Request, Response

from function.deadline import Deadline
from function.delivery.cloud_event import InvalidEventError, Upload, is_catalogue, is_manifest, parse_event
from function.delivery.http_answers import refusal
from function.delivery.http_routes import answer_without_pair, health, is_health_check
from function.delivery.readings import Readings
from function.delivery.request_body import (
    BodyIncompleteError,
    BodyTooLargeError,
    BodyTooSlowError,
    answered_first,
    read_body,
)
from function.errors import LeaseHeldError, PausedError, SupersededError, TransientError
from function.settings import InvalidSettingsError, Settings
from function.storage.names import OWN_PREFIXES
from function.telemetry.native_tuning import prepare_libraries
from function.telemetry.structured_logging import configure_logging, set_context, trace_of
from function.termination import listen, on_termination

if TYPE_CHECKING:  # clients and image libraries are imported by the first event that needs them
    from function.delivery.services import Services

logger = logging.getLogger(__name__)

ACKNOWLEDGED = 200
SWEEP_PATH = "/batches/sweep"
DELIVER_AGAIN = 503
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Service:
    """One process's settings and clients. Thread-safe: eight events run in it at once."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._services: Services | None = None
        self._readings = Readings(settings.threads)
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls) -> Service:
        """Read the environment, or end the process with one message that names everything wrong with it."""
        configure_logging(libraries=True)
        try:
            settings = Settings.from_environment()
        except InvalidSettingsError as problems:
            logger.critical(str(problems))
            sys.exit(f"error: {problems}")
        for warning in settings.warnings(datetime.now(UTC).date()):
            logger.warning(warning)
        prepare_libraries()
        listen()
        return cls(settings)

    def handle_event(self, request: Request) -> Response:
        """One delivery of an event: 2xx when it is settled, 5xx to have it delivered again."""
        return answered_first(self._handle_event(request), request)

    def handle_http(self, request: Request) -> Response:
        """A pair over HTTP: the picture, or JSON with the sidecar and the picture."""
        request_id = _request_id(request)
        set_context(event_id=request_id, **self._trace(request))
        response = answer_without_pair(request) or self._handle_http(request)
        response.headers["X-Request-Id"] = request_id
        return answered_first(response, request)

    def _handle_event(self, request: Request) -> Response:
        if is_health_check(request):
            return health()
        if request.method != "POST":
            return Response("events are delivered with POST\n", 405, {"Allow": "POST"}, mimetype="text/plain")
        set_context()
        if request.path == SWEEP_PATH and self._settings.batch_bucket is not None:
            return self._sweep(request)
        try:
            upload = parse_event(
                request.headers, read_body(request, self._readings, within_s=self._settings.body_timeout_s)
            )
        except (InvalidEventError, BodyTooLargeError) as problem:
            logger.error("acknowledged and dropped: %s", problem, extra={"stage": "event"})
            return Response("ignored\n", ACKNOWLEDGED, mimetype="text/plain")
        except (BodyTooSlowError, BodyIncompleteError) as problem:
            logger.warning("deliver again: %s", problem, extra={"stage": "event"})
            return Response("deliver again\n", DELIVER_AGAIN, mimetype="text/plain")
        set_context(
            event_id=upload.event_id,
            manifest=f"{upload.bucket}/{upload.name}",
            generation=upload.generation,
            **self._trace(request),
        )
        try:
            return Response(self._process(upload) + "\n", ACKNOWLEDGED, mimetype="text/plain")
        except PausedError:
            logger.info("paused", extra={"stage": "event", "age_s": round(upload.age_s(), 3)})
            return Response("paused\n", DELIVER_AGAIN, mimetype="text/plain")
        except LeaseHeldError as other:
            logger.info("deliver again: %s", other.message, extra={"stage": "lease", "age_s": round(upload.age_s(), 3)})
            return Response("another delivery is in progress\n", DELIVER_AGAIN, mimetype="text/plain")
        except TransientError as passing:
            logger.warning(
                "deliver again",
                extra={
                    "reason": passing.message,
                    "error_code": passing.code.value,
                    "stage": passing.stage,
                    "age_s": round(upload.age_s(), 3),
                },
            )
            return Response(f"deliver again: {passing.code}\n", DELIVER_AGAIN, mimetype="text/plain")
        except Exception as error:
            logger.exception("unexpected: %s: %s", type(error).__name__, error, extra={"stage": "event"})
            return Response("deliver again: internal\n", DELIVER_AGAIN, mimetype="text/plain")

    def _handle_http(self, request: Request) -> Response:
        try:
            body = read_body(request, self._readings, within_s=self._settings.body_timeout_s)
        except BodyTooLargeError as problem:
            return _refused("request_too_large", problem)
        except BodyTooSlowError as problem:
            return _refused("request_timeout", problem)
        except BodyIncompleteError as problem:
            return _refused("request_incomplete", problem)
        from function.delivery.http_api import answer_request  # noqa: PLC0415

        return answer_request(request, body, self.services())

    def services(self) -> Services:
        """The clients, made once, after all that a pair imports."""
        from function.delivery.pair_imports import import_for_pairs  # noqa: PLC0415

        with self._lock:
            if self._services is None:
                import_for_pairs()
                self._services = self._make_services()
                on_termination(self._hand_over)
            return self._services

    def _make_services(self) -> Services:
        from function.budget.budget import Budget  # noqa: PLC0415
        from function.delivery.services import Services  # noqa: PLC0415
        from function.delivery.switch import Switches  # noqa: PLC0415
        from function.generation.gemini.batches import GeminiBatches  # noqa: PLC0415
        from function.generation.gemini.client import GeminiClient  # noqa: PLC0415
        from function.generation.model_chain import ModelChain  # noqa: PLC0415
        from function.pipeline.memory_budget import MemoryBudget  # noqa: PLC0415
        from function.provenance.credentials import Credentials, SigningSettings  # noqa: PLC0415
        from function.storage.client import Storage  # noqa: PLC0415

        settings = self._settings
        model = GeminiClient(
            api_key=settings.api_key,
            vertexai=settings.use_vertexai,
            project=settings.project,
            location=settings.location,
            api_version=settings.gemini_api_version,
        )
        storage = Storage(settings.project)
        budget = Budget(storage, settings.output_bucket, settings.caps)
        atexit.register(budget.return_unspent)
        return Services(
            settings,
            storage,
            model,
            ModelChain(settings.model_chain, settings.model_location),
            budget,
            MemoryBudget.of_process(),
            Switches(storage),
            GeminiBatches(model, vertexai=settings.use_vertexai),
            credentials=Credentials(
                SigningSettings(
                    settings.signing_key,
                    settings.signing_certificate,
                    settings.timestamp_url,
                    settings.kms_emulator_host,
                )
            ),
        )

    def _hand_over(self) -> None:
        """The instance ends: what is in work goes to other instances, and so does the money set aside."""
        services = self.services()
        services.leases.hand_over_all()
        services.budget.return_unspent()
        logger.info("shutting down: leases were handed over", extra={"stage": "event"})

    def _sweep(self, request: Request) -> Response:
        """What the scheduler asks for: batch jobs are looked at. 2xx also while another sweep is in progress."""
        from function.delivery.batch_files import run_sweep  # noqa: PLC0415

        set_context(event_id=uuid.uuid4().hex, **self._trace(request))
        try:
            swept = run_sweep(self.services(), Deadline(self._settings.event_deadline_s))
        except (TransientError, SupersededError) as passing:
            logger.warning("the sweep of batches was cut off: %s", passing, extra={"stage": "batch"})
            return Response("sweep again\n", DELIVER_AGAIN, mimetype="text/plain")
        except Exception as error:
            logger.exception("unexpected: %s: %s", type(error).__name__, error, extra={"stage": "batch"})
            return Response("sweep again: internal\n", DELIVER_AGAIN, mimetype="text/plain")
        return Response("swept\n" if swept else "another sweep is in progress\n", ACKNOWLEDGED, mimetype="text/plain")

    def _process(self, upload: Upload) -> str:
        if self._settings.batch_bucket is not None and upload.bucket == self._settings.batch_bucket:
            from function.delivery.batch_files import process_batch_file  # noqa: PLC0415

            return process_batch_file(upload, self.services(), Deadline(self._settings.event_deadline_s))
        if not is_manifest(upload.name):
            logger.debug("not a manifest: nothing to do", extra={"stage": "event"})
            return "ignored"
        if upload.bucket == self._settings.output_bucket:
            logger.error(
                "refused: the event's bucket is OUTPUT_BUCKET itself; results would trigger this function again",
                extra={"stage": "event"},
            )
            return "refused"
        if upload.name.startswith(OWN_PREFIXES):
            logger.error(
                "refused: %s would have its outputs among this function's own records",
                upload.name,
                extra={"stage": "event"},
            )
            return "refused"
        deadline = Deadline(self._settings.event_deadline_s)
        if self.services().switches.look(upload.bucket).paused:
            raise PausedError("the input bucket is paused")
        if is_catalogue(upload.name):
            from function.delivery.catalogue import process_catalogue  # noqa: PLC0415

            process_catalogue(upload, self.services(), deadline)
        else:
            from function.delivery.pair import process_pair  # noqa: PLC0415

            process_pair(upload, self.services(), deadline)
        return "settled"

    def _trace(self, request: Request) -> dict[str, str | None]:
        header = request.headers.get("traceparent") or request.headers.get("X-Cloud-Trace-Context")
        return {"logging.googleapis.com/trace": trace_of(header, self._settings.project)}


def _request_id(request: Request) -> str:
    """The caller's own where it can stand in a header and a log line, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _refused(code: str, problem: Exception) -> Response:
    logger.warning(str(problem), extra={"stage": "http", "error_code": code})
    return refusal(code, str(problem))
