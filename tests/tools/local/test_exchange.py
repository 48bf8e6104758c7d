"""What the inbox says again is not uploaded again, also where a person has asked for another picture since."""

import contextlib
import hashlib

from google.api_core.exceptions import Conflict

from function.tools.local.exchange import Exchange
from function.tools.local.folder import LocalFolder
from function.tools.local.stack import INPUT_BUCKET


def test_a_manifest_that_was_made_again_is_left_alone_until_the_file_changes(own_cloud, tmp_path):
    with contextlib.suppress(Conflict):
        own_cloud.client.create_bucket(INPUT_BUCKET)
    folder = LocalFolder(tmp_path)
    folder.inbox.mkdir(parents=True)
    name = f"{own_cloud.input}.json"

    def taken_in(content: bytes) -> list[str]:
        (folder.inbox / name).write_bytes(content)
        exchange = Exchange(own_cloud.client, folder)  # a session of its own, as after a restart
        return exchange.take_in() + exchange.take_in()

    assert taken_in(b"{}") == [name]
    redone = own_cloud.client.bucket(INPUT_BUCKET).blob(name)
    redone.metadata = {"review-uploaded-sha256": hashlib.sha256(b"{}").hexdigest()}
    redone.upload_from_string('{"feedback": "smaller"}')
    assert taken_in(b"{}") == []
    assert taken_in(b'{"seed": 1}') == [name]


def test_a_style_is_uploaded_before_the_manifests_that_may_name_it(own_cloud, tmp_path):
    with contextlib.suppress(Conflict):
        own_cloud.client.create_bucket(INPUT_BUCKET)
    folder = LocalFolder(tmp_path)
    style, manifest = f"_styles/{own_cloud.input}.json", f"A{own_cloud.input}.json"  # capitals are sorted first
    (folder.inbox / "_styles").mkdir(parents=True)
    (folder.inbox / manifest).write_text("{}")
    (folder.inbox / style).write_text("{}")
    exchange = Exchange(own_cloud.client, folder)
    assert exchange.take_in() + exchange.take_in() == [style, manifest]
