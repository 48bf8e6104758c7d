"""Everything that can go wrong, as small classes that carry a code, a stage and whether a retry can help."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """The codes a sidecar's `error.code` can have."""

    MANIFEST_INVALID = "manifest_invalid"
    REFERENCE_FORBIDDEN = "reference_forbidden"
    SOURCE_MISSING = "source_missing"
    SOURCE_TOO_LARGE = "source_too_large"
    SOURCE_UNREADABLE = "source_unreadable"
    SOURCE_UNSUPPORTED = "source_unsupported"
    MODEL_REFUSED = "model_refused"
    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_NO_IMAGE = "model_no_image"
    OUTPUT_CONFLICT = "output_conflict"
    BUDGET_EXHAUSTED = "budget_exhausted"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    INTERNAL = "internal"


# Of a sentence for people; with the rest of its sidecar it stays under 4 KB. Libraries' own words may be part of it.
MAX_MESSAGE_BYTES = 2000


class CompositeError(Exception):
    """Any expected failure of a run; `message` is written for the person who uploaded the manifest."""

    code: ErrorCode = ErrorCode.INTERNAL
    stage: str = "run"
    retryable: bool = False

    def __init__(self, message: str, *, stage: str | None = None):
        # What a manifest holds is quoted, and may hold what no JSON document can: half a surrogate pair.
        packed = message.encode("utf-8", "backslashreplace")
        if len(packed) > MAX_MESSAGE_BYTES:
            packed = packed[: MAX_MESSAGE_BYTES - 3] + "…".encode()
        message = packed.decode("utf-8", "ignore")
        super().__init__(message)
        self.message = message
        if stage is not None:
            self.stage = stage


class PermanentError(CompositeError):
    """Will fail the same way again: it is recorded, and the event is acknowledged."""


class TransientError(CompositeError):
    """May pass on a later delivery: the event is answered with 5xx so that it comes again.

    `uses_patience`: it is recorded as a failure once the upload has waited long enough. Without, it is retried for
    as long as the queue carries the event, and the patience restarts after it.
    """

    retryable = True
    uses_patience: bool = True


class InvalidManifestError(PermanentError):
    """The manifest is no JSON object with the fields that are allowed."""

    code, stage = ErrorCode.MANIFEST_INVALID, "manifest"


class ForbiddenReferenceError(PermanentError):
    """An image reference points outside the buckets this function may read."""

    code, stage = ErrorCode.REFERENCE_FORBIDDEN, "download"


class SourceError(PermanentError):
    """A source image cannot be used; `field` is the manifest's, where one alone is meant."""

    def __init__(self, message: str, *, field: str | None = None, stage: str | None = None):
        super().__init__(message, stage=stage)
        self.field = field


class SourceTooLargeError(SourceError):
    """A source image has more bytes or pixels than the limits allow."""

    code, stage = ErrorCode.SOURCE_TOO_LARGE, "download"


class UnreadableSourceError(SourceError):
    """A source image is damaged or cannot be decoded."""

    code, stage = ErrorCode.SOURCE_UNREADABLE, "prepare"


class UnsupportedSourceError(SourceError):
    """A source is in a format that is not read."""

    code, stage = ErrorCode.SOURCE_UNSUPPORTED, "prepare"


class MissingSourceError(PermanentError):
    """A source image does not exist, and has been waited for long enough."""

    code, stage = ErrorCode.SOURCE_MISSING, "download"


class SourceNotYetThereError(TransientError):
    """A source image does not exist yet; uploads may arrive after the manifest."""

    code, stage = ErrorCode.SOURCE_MISSING, "download"


class ModelRefusedError(PermanentError):
    """The model refused the request or its own answer (safety, recitation, blocked prompt …)."""

    code, stage = ErrorCode.MODEL_REFUSED, "generate"


class ModelNoImageError(PermanentError):
    """The model answered without a usable image."""

    code, stage = ErrorCode.MODEL_NO_IMAGE, "generate"


class ModelRejectedError(PermanentError):
    """The model's service will not take the request (key, permission, unknown model, bad argument)."""

    code, stage = ErrorCode.MODEL_UNAVAILABLE, "generate"


class ModelUnavailableError(TransientError):
    """The model could not be reached, or said that it is over its capacity or quota."""

    code, stage = ErrorCode.MODEL_UNAVAILABLE, "generate"


class NoModelAvailableError(ModelUnavailableError):
    """Not one model of the chain answers: a fault of the deployment, not of the pair."""

    uses_patience = False


class ModelUnansweredError(ModelUnavailableError):
    """The model was asked, and its answer did not arrive or cannot be read: it may have been billed.

    `timed_out`: no answer came in the time that there was.
    """

    def __init__(self, message: str, *, timed_out: bool):
        super().__init__(message)
        self.timed_out = timed_out
        if timed_out:
            self.code = ErrorCode.DEADLINE_EXCEEDED


class BudgetExhaustedError(PermanentError):
    """A spending cap leaves no room for another call; `retry_after_s` says when it will, where that is known."""

    code, stage = ErrorCode.BUDGET_EXHAUSTED, "budget"

    def __init__(self, message: str, retry_after_s: int | None = None):
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BudgetUsedUpForTodayError(TransientError):
    """The day's cap leaves no room for another call: the event waits for the next day, or for a higher cap."""

    code, stage, uses_patience = ErrorCode.BUDGET_EXHAUSTED, "budget", False

    def __init__(self, message: str, retry_after_s: int):
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InstanceShutdownError(TransientError):
    """This instance is shutting down and begins no further model call; another instance will."""

    stage, uses_patience = "budget", False


class StorageUnavailableError(TransientError):
    """Cloud Storage could not be reached, or kept failing until the retries were used up."""

    code, stage = ErrorCode.INTERNAL, "storage"


class OutputConflictError(PermanentError):
    """Something that is not ours stands where the result belongs."""

    code, stage = ErrorCode.OUTPUT_CONFLICT, "upload"


class DeadlineExceededError(TransientError):
    """The event's time budget is used up."""

    code, stage = ErrorCode.DEADLINE_EXCEEDED, "run"


class InternalError(TransientError):
    """A mistake of this program; the log holds the traceback."""


class LeaseHeldError(TransientError):
    """Another delivery of the same event is at work; this one must come again in case that one dies."""

    stage = "lease"


class PausedError(TransientError):
    """A person has paused the input bucket; this delivery must come again."""

    stage, uses_patience = "event", False


class AwaitsBatchError(Exception):
    """The next picture is asked for in a batch: there is nothing left to do until its answer is stored."""


class SupersededError(Exception):
    """A newer generation of the manifest has taken over; there is nothing left to do for this one."""
