"""Whether there is something to prove with who calls: a key, or Application Default Credentials."""

from __future__ import annotations

import re

import google.auth
import google.auth.transport.requests
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

from function.generation.gemini.response import truncate
from function.settings import Settings
from function.tools.doctor.finding import Finding, ok, problem

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SIGN_IN = "sign in with `gcloud auth application-default login`"
HEADER_VALUE = re.compile(r"[!-~]+")  # what an HTTP header takes of a key


def check_key(settings: Settings) -> Finding:
    """A key is there, and can be sent. Whether it is valid, the models tell."""
    if not HEADER_VALUE.fullmatch(settings.api_key or ""):
        found = "the key holds blanks, line breaks or other characters that no key has"
        return problem("credentials", found, "copy it again, in one piece, from https://aistudio.google.com/apikey")
    return ok("credentials", "there is a key for the Gemini API")


def check_default_credentials() -> Finding:
    """Application Default Credentials exist, and a token is given for them."""
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        credentials.refresh(google.auth.transport.requests.Request())
    except DefaultCredentialsError as missing:
        return problem("credentials", f"no credentials of Google Cloud are found: {truncate(str(missing))}", SIGN_IN)
    except GoogleAuthError as refused:
        return problem("credentials", f"Google Cloud gives no token: {truncate(str(refused))}", f"{SIGN_IN} again")
    who = getattr(credentials, "service_account_email", None) or "the account that is signed in"
    return ok("credentials", f"Google Cloud gives a token for {who}")
