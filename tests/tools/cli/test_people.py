"""`status`: what people have decided, beside what the checks have."""

import json
from types import SimpleNamespace

from function.tools import command_line


def test_people_and_checks_are_counted_apart(own_cloud, monkeypatch, capsys):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", own_cloud.client.project)
    pairs = {
        "checked": ("accepted", None), "approved": ("review", "accept"), "overruled": ("accepted", "reject"),
        "open": ("review", None), "failed": ("failed", None),
    }  # fmt: skip
    output = own_cloud.client.bucket(own_cloud.output)
    for name, (status, decision) in pairs.items():
        resource = own_cloud.put(f"s/{name}.json", "{}")
        said = {
            "status": status, "manifest": f"gs://{own_cloud.input}/s/{name}.json",
            "manifest-generation": str(resource["generation"]), "usd": "0.04",
        }  # fmt: skip
        endings = [SimpleNamespace(end=".json", extra={})]
        if status != "failed":
            endings.append(SimpleNamespace(end=".png", extra={"review-decision": decision} if decision else {}))
        for one in endings:
            blob = output.blob(f"s/{name}{one.end}")
            blob.metadata = said | one.extra
            blob.upload_from_string("{}")
    again = own_cloud.client.bucket(own_cloud.input).get_blob("s/open.json")
    again.metadata = {"review-asked": "redo", "review-redone": "2"}
    again.patch()
    for arguments in (["--json"], []):
        assert command_line.main(["status", f"gs://{own_cloud.output}/s", *arguments]) == 0
    counted, *words = capsys.readouterr().out.splitlines()
    assert json.loads(counted)["people"] == {
        "by_checks": 1, "accepted": 1, "rejected": 1, "to_look_at": 1, "redone": 1,
    }  # fmt: skip
    said = "1 accepted by checks, 1 by people, 1 rejected, 1 to look at, 1 pair made again"
    assert any(line.split() == ["people", *said.split()] for line in words)
