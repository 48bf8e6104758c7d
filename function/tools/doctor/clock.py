"""This machine's clock beside Google's."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from function.tools.doctor.finding import Finding, ok, warning

STORAGE_URL = "https://storage.googleapis.com"
TIMEOUT_S = 20.0
MAX_SKEW_S = 60.0  # leases last minutes; less than this moves none of them, and a busy machine is late by seconds


def check_clock() -> Finding:
    """UTC here against the Date of an answer of Cloud Storage."""
    advice = "let the system set its clock by NTP: leases and the caps of a day depend on it"
    try:
        before = datetime.now(UTC)
        date = _date_of_storage()
        middle = before + (datetime.now(UTC) - before) / 2
    except (OSError, ValueError, TypeError) as error:
        return warning("clock", f"Cloud Storage does not tell the time: {error}", "check network and proxy")
    skew_s = (middle - date).total_seconds()
    if abs(skew_s) > MAX_SKEW_S:
        late = "ahead of" if skew_s > 0 else "behind"
        return warning("clock", f"this machine is {abs(skew_s):,.0f} s {late} Google's clock", advice, skew_s=skew_s)
    return ok("clock", f"this machine and Cloud Storage agree within {MAX_SKEW_S:.0f} s", skew_s=skew_s)


def _date_of_storage() -> datetime:
    """The Date of any answer, an error's too. Raises OSError, and ValueError or TypeError without a date."""
    request = urllib.request.Request(os.environ.get("STORAGE_EMULATOR_HOST") or STORAGE_URL, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            stated = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        with error:
            stated = error.headers["Date"]
    return parsedate_to_datetime(stated)
