"""Batch jobs of Gemini through google-genai: of Vertex AI over buckets, of the Gemini API over uploaded files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from function.deadline import Deadline
from function.errors import ModelRejectedError, ModelUnansweredError, ModelUnavailableError
from function.generation.batch_service import ServiceJob, Sink
from function.generation.gemini.client import RETRY_STATUS, GeminiClient, has_no_quota
from function.generation.gemini.response import truncate
from function.generation.provider import ModelNotFoundError

if TYPE_CHECKING:
    from google.genai import types

CALL_TIMEOUT_S = 60.0  # a job is made and described within seconds
FILE_TIMEOUT_S = 240.0  # a file of hundreds of megabytes
MAX_LISTED = 2000  # jobs that are looked through for a display name; the newest come first
STATE_PREFIX = "JOB_STATE_"
JSONL = "application/jsonl"


class GeminiBatches:
    """Implements `BatchService`. Thread-safe, as its client is."""

    def __init__(self, gemini: GeminiClient, *, vertexai: bool):
        self._gemini = gemini
        self.reads_buckets = vertexai

    def create(self, model: str, display_name: str, lines: str | bytes, results: str, deadline: Deadline) -> ServiceJob:
        """See BatchService."""
        from google.genai import types  # noqa: PLC0415

        source = lines if isinstance(lines, str) else self._upload(display_name, lines, deadline)
        dest = types.BatchJobDestination(format="jsonl", gcs_uri=results) if self.reads_buckets else None
        config = types.CreateBatchJobConfig(
            display_name=display_name, dest=dest, http_options=_options(CALL_TIMEOUT_S, deadline)
        )
        with _errors(f"creating a batch job of {model}"):
            return _described(self._gemini.client.batches.create(model=model, src=source, config=config))

    def get(self, name: str, deadline: Deadline) -> ServiceJob:
        """See BatchService."""
        from google.genai import types  # noqa: PLC0415

        config = types.GetBatchJobConfig(http_options=_options(CALL_TIMEOUT_S, deadline))
        with _errors(f"looking at the batch job {name}"):
            return _described(self._gemini.client.batches.get(name=name, config=config))

    def find(self, display_name: str, deadline: Deadline) -> list[ServiceJob]:
        """See BatchService. Only Vertex AI filters; the Gemini API lists everything."""
        from google.genai import types  # noqa: PLC0415

        config = types.ListBatchJobsConfig(page_size=100, http_options=_options(CALL_TIMEOUT_S, deadline))
        if self.reads_buckets:
            config.filter = f'display_name="{display_name}"'
        found = []
        with _errors("listing batch jobs"):
            for number, job in enumerate(self._gemini.client.batches.list(config=config)):
                deadline.clamp(CALL_TIMEOUT_S, "batch")
                if job.display_name == display_name:
                    found.append(_described(job))
                if number >= MAX_LISTED:
                    break
        return sorted(found, key=lambda job: job.created)

    def cancel(self, name: str, deadline: Deadline) -> None:
        """See BatchService."""
        from google.genai import types  # noqa: PLC0415

        config = types.CancelBatchJobConfig(http_options=_options(CALL_TIMEOUT_S, deadline))
        with _errors(f"cancelling the batch job {name}"):
            self._gemini.client.batches.cancel(name=name, config=config)

    def fetch(self, results_file: str, sink: Sink, deadline: Deadline) -> None:
        """See BatchService."""
        from google.genai import types  # noqa: PLC0415

        config = types.DownloadFileConfig(http_options=_options(FILE_TIMEOUT_S, deadline))
        destination: Any = sink  # the SDK asks for an io.IOBase, and only writes to it
        with _errors(f"fetching {results_file}"):
            self._gemini.client.files.download(file=results_file, destination=destination, config=config)

    def _upload(self, display_name: str, lines: bytes, deadline: Deadline) -> str:
        from google.genai import types  # noqa: PLC0415

        config = types.UploadFileConfig(
            display_name=display_name, mime_type=JSONL, http_options=_options(FILE_TIMEOUT_S, deadline)
        )
        try:
            with _errors("uploading a batch job's requests"):
                name = self._gemini.client.files.upload(file=io.BytesIO(lines), config=config).name
        except ModelUnansweredError as lost:  # a file without a known name has no effect
            raise ModelUnavailableError(lost.message) from None
        if not name:
            raise ModelUnavailableError("the service gave the uploaded requests no name")
        return name


def _options(max_s: float, deadline: Deadline) -> types.HttpOptions:
    from google.genai import types  # noqa: PLC0415

    return types.HttpOptions(timeout=int(deadline.clamp(max_s, "batch") * 1000))


@contextmanager
def _errors(doing: str) -> Iterator[None]:
    """The SDK's errors as ours; see BatchService."""
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.genai import errors  # noqa: PLC0415

    from function.generation.gemini.transport import CONNECT_ERRORS, TRANSPORT_ERRORS, is_timeout  # noqa: PLC0415

    try:
        yield
    except errors.APIError as error:
        said = f"{doing}: {error.code} {truncate(error.message or error.status or '')}"
        if error.code == 404:
            raise ModelNotFoundError(said) from None
        if (error.code or 500) >= 500:
            raise ModelUnansweredError(said, timed_out=False) from None
        if error.code in RETRY_STATUS and not has_no_quota(error):
            raise ModelUnavailableError(said) from None
        raise ModelRejectedError(said) from None
    except (*CONNECT_ERRORS, GoogleAuthError) as error:
        raise ModelUnavailableError(f"{doing}: {type(error).__name__}: {truncate(str(error))}") from None
    except (*TRANSPORT_ERRORS, UnicodeError, ValueError, KeyError) as error:
        timed_out = isinstance(error, Exception) and is_timeout(error)
        raise ModelUnansweredError(
            f"{doing}: {type(error).__name__}: {truncate(str(error))}", timed_out=timed_out
        ) from None


def _described(job: types.BatchJob) -> ServiceJob:
    state = job.state.value.removeprefix(STATE_PREFIX) if job.state else "UNSPECIFIED"
    return ServiceJob(
        name=job.name or "",
        display_name=job.display_name or "",
        state=state,
        created=job.create_time.timestamp() if job.create_time else 0.0,
        message=truncate((job.error.message if job.error else "") or ""),
        results_file=job.dest.file_name if job.dest else None,
    )
