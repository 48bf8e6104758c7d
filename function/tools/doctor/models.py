"""The models of the chain, asked with calls that cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from function.generation.gemini.client import error_details, has_no_quota
from function.generation.gemini.response import truncate
from function.generation.models import model_table
from function.generation.prompt_templates import TEMPLATES
from function.settings import Settings
from function.tools.doctor.finding import Finding, ok, problem, warning

if TYPE_CHECKING:
    from google.genai import Client

CALL_TIMEOUT_MS = 30_000  # free calls take a second
LISTED = ("image", "banana")  # what the names of image models hold

Kind = Literal["answers", "missing", "no_quota", "busy", "key", "api", "identity", "permission", "refused", "silent"]


@dataclass(frozen=True)
class ModelState:
    """How a model answers what is free. `said`: the service's own words, or how many tokens the prompt has."""

    id: str
    kind: Kind
    said: str


def ask_models(client: Client, settings: Settings) -> list[ModelState]:
    """The state of every model of the chain that the location serves, in its order, and of the judge's model."""
    served = [name for name in settings.model_chain if model_table().find(name).is_served_in(settings.model_location)]
    judges = [settings.judge_model] if settings.judge_model else []
    return [_ask(client, model_id) for model_id in dict.fromkeys([*served, *judges])]


def answering(states: Sequence[ModelState], settings: Settings) -> list[str]:
    """The models of the chain that answer."""
    return [one.id for one in states if one.kind == "answers" and one.id in settings.model_chain]


def check_models(client: Client, states: Sequence[ModelState], settings: Settings) -> list[Finding]:
    """A line for each model, and one for the chain.

    As the function does: a 404 passes on to the next of the chain, and any other refusal ends a pair. So what is wrong
    with a model that is never reached is a warning.
    """
    found: list[Finding] = []
    drawn_by: str | None = None
    for one in (state for state in states if state.id in settings.model_chain):
        if one.kind == "answers":
            drawn_by = drawn_by or one.id
            found.append(ok("model", f"{one.id} answers: the prompt has {one.said} tokens"))
        elif one.kind == "missing" or drawn_by:
            found.append(warning("model", _words(one), _advice(one, settings)))
        else:
            found.append(problem("model", _words(one), _advice(one, settings)))
    found.append(_check_chain(client, drawn_by, settings))
    judges = [one for one in states if one.id == settings.judge_model and one.kind != "answers"]
    without = "choose another JUDGE_MODEL; without one pictures are judged all the same"
    return [*found, *(warning("second opinion", _words(one), without) for one in judges)]


def check_quota(states: Sequence[ModelState]) -> Finding:
    """Whether any call was turned away for want of quota."""
    without = [one.id for one in states if one.kind == "no_quota"]
    if without:
        return problem("quota", f"this project has no quota at all for {', '.join(without)} (limit: 0)", BILLING)
    busy = [one.id for one in states if one.kind == "busy"]
    if busy:
        return warning("quota", f"{', '.join(busy)} turned a call away", "try again in a few minutes, or ask for quota")
    return ok("quota", "no free call was turned away; that of pictures shows with --paid only")


BILLING = "enable billing for the project (https://console.cloud.google.com/billing/projects), or ask for quota"
MISSING = "nothing to do while another of the chain answers; Google gives access to it, or has ended it"
WITH_KEY: dict[Kind, str] = {
    "key": "make a key at https://aistudio.google.com/apikey and set GEMINI_API_KEY to it, or add it to the secret",
    "api": "enable it: `gcloud services enable generativelanguage.googleapis.com`, in the project of the key",
    "identity": "make another key at https://aistudio.google.com/apikey",
    "permission": "lift the key's restrictions to other APIs or addresses, or use a key of a project in good standing",
}
WITH_VERTEX: dict[Kind, str] = {
    "key": "unset the key: Vertex AI is called with an identity",
    "api": "enable it: `gcloud services enable aiplatform.googleapis.com`, in GOOGLE_CLOUD_PROJECT",
    "identity": "sign in again with `gcloud auth application-default login`",
    "permission": "grant aiplatform.endpoints.predict (in roles/aiplatform.user) in GOOGLE_CLOUD_PROJECT",
}
IN_ANY_CASE: dict[Kind, str] = {
    "missing": MISSING,
    "no_quota": BILLING,
    "busy": "try again in a few minutes",
    "refused": "do what it says, or choose another model",
    "silent": "check network and proxy, and try again",
}


def _check_chain(client: Client, drawn_by: str | None, settings: Settings) -> Finding:
    if drawn_by is None:
        others = _listed(client)
        instead = f"; this account is shown {', '.join(others)}: GEMINI_MODEL may name one" if others else ""
        advice = "fix what the lines above say; until then deliveries wait, or fail where they are refused" + instead
        return problem("chain", "no model of the chain can be reached", advice)
    return ok("chain", f"{drawn_by} will draw; whether it really does only --paid shows")


def _listed(client: Client) -> list[str]:
    """Image models that the service lists, as far as it tells."""
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.genai import errors, types  # noqa: PLC0415

    from function.generation.gemini.transport import TRANSPORT_ERRORS  # noqa: PLC0415

    options = types.ListModelsConfig(http_options=types.HttpOptions(timeout=CALL_TIMEOUT_MS), page_size=1000)
    try:
        names = [str(model.name).rpartition("/")[2] for model in client.models.list(config=options)]
    except (errors.APIError, GoogleAuthError, ValueError, *TRANSPORT_ERRORS):
        return []
    return sorted(name for name in names if any(part in name for part in LISTED))


def _ask(client: Client, model_id: str) -> ModelState:
    """One model's state: it is looked up (with a key; Vertex AI looks models up outside of any project and location,
    which says nothing of either), then asked to count the prompt's tokens where pictures are asked for too."""
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.genai import errors, types  # noqa: PLC0415

    from function.generation.gemini.transport import TRANSPORT_ERRORS  # noqa: PLC0415

    options = types.HttpOptions(timeout=CALL_TIMEOUT_MS)
    try:
        if not client.vertexai:
            client.models.get(model=model_id, config=types.GetModelConfig(http_options=options))
        counted = client.models.count_tokens(
            model=model_id, contents=TEMPLATES.composite, config=types.CountTokensConfig(http_options=options)
        )
    except errors.APIError as error:
        return ModelState(model_id, _kind(error), f"{error.code}: {truncate(error.message or error.status or '')}")
    except (GoogleAuthError, ValueError, *TRANSPORT_ERRORS) as error:
        return ModelState(model_id, "silent", f"{type(error).__name__}: {truncate(str(error))}")
    return ModelState(model_id, "answers", f"{counted.total_tokens or 0:,}")


def _kind(error: Any) -> Kind:
    """What an error status of the service means."""
    reasons = {item.get("reason") for item in error_details(error)}
    if error.code == 404:
        return "missing"
    if error.code == 429:
        return "no_quota" if has_no_quota(error) else "busy"
    if "API_KEY_INVALID" in reasons:
        return "key"
    if "SERVICE_DISABLED" in reasons:
        return "api"
    if "BILLING_DISABLED" in reasons:
        return "no_quota"
    if error.code in (401, 403):
        return "identity" if error.code == 401 else "permission"
    return "busy" if error.code == 408 or error.code >= 500 else "refused"


def _words(state: ModelState) -> str:
    means = {
        "missing": "does not exist, has ended, or is closed to this project",
        "no_quota": "has no quota here",
        "busy": "is busy",
        "key": "does not accept the key",
        "api": "cannot be called: its API is not enabled",
        "identity": "does not accept who calls",
        "permission": "may not be called",
        "refused": "refuses",
        "silent": "cannot be reached",
    }
    return f"{state.id} {means[state.kind]} ({state.said})"


def _advice(state: ModelState, settings: Settings) -> str:
    return (IN_ANY_CASE | (WITH_VERTEX if settings.use_vertexai else WITH_KEY))[state.kind]
