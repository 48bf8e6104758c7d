"""How long the commands wait for Cloud Storage, in seconds. A person waits with them, and can stop them."""

from __future__ import annotations

CALL_S = 120.0  # small requests; the client tries one for 60 s at most (storage.retries.RETRY_FOR_S): two in a row fit
LISTING_S = 600.0  # a bucket of 100,000 objects is a hundred requests one after the other
DOWNLOAD_S = 300.0  # one picture over a slow line
UPLOAD_S = 600.0  # one file over a slow line, whose upstream is slower still
DELIVERY_S = 600.0  # a function's answer to an event: its own deadline is EVENT_DEADLINE_S, 300 s unless set
