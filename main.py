"""The two entry points: `composite` for storage events, `composite_http` for requests."""

import functions_framework
from flask import Request, Response

from function.service import Service

service = Service.from_environment()


# An HTTP signature, because the framework's CloudEvent signature answers 400 to what is no event (which the
# platform would deliver again for a day) and 500 with a traceback to what should only come again.
@functions_framework.http
def composite(request: Request) -> Response:
    """A finalized object: a pair manifest (.json), a catalogue (.csv, .jsonl), or nothing to do."""
    return service.handle_event(request)


@functions_framework.http
def composite_http(request: Request) -> Response:
    """One pair as JSON or multipart/form-data; answers with the picture, or with JSON."""
    return service.handle_http(request)
