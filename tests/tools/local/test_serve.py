"""`serve`: one line, and both entry points answer."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

from tests.support import PATIENCE_S, http
from tests.tools.local.running import environment, processes_under


def test_one_line_says_where_both_entry_points_are(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "function", "serve", "--port", "0", "--http-port", "0", "--storage-port", "0"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said = next(line for line in process.stdout if line.startswith("composite: "))
        where = dict(re.findall(r"(\w+): (http://\S+?)(?= |;)", said))
        assert list(where) == ["composite", "composite_http", "storage"]
        response = http(where["composite_http"], b'{"scene": 1}', {"Content-Type": "application/json"})
        assert response.status == 400 and response.json()["error"]["code"] == "manifest_invalid"
        assert http(where["composite"], b"no event", {}).body == b"ignored\n"
        assert http(where["composite_http"] + "/health", None, {}, "GET").status == 200
        assert json.loads(http(where["storage"] + "/storage/v1/b", None, {}, "GET").body)["items"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert processes_under(tmp_path) == []
