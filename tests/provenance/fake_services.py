"""Cloud KMS and a time-stamp authority over HTTP, which fail, are slow, or lie when they are told to."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from function.provenance.signer import KeySigner
from tests.provenance.time_stamps import Authority

KEY_VERSION = "projects/p/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/3"
DRIP_S = 0.2


class FakeServices:
    """Both at one address. `kms`, `time`: how each behaves; `kms_faults`: how often, then it is well; None: always.
    `calls`: what was asked, by path. A context manager."""

    def __init__(self) -> None:
        self.signer = KeySigner.for_tests()
        self._stranger = ec.generate_private_key(ec.SECP256R1())
        self._authority = Authority()
        self.reset()
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                services.calls.append(self.path)
                services._answer(self, body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeServices:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Both are well, and nothing was asked of them."""
        self.kms = self.time = "well"
        self.kms_faults: int | None = None
        self.calls: list[str] = []

    def environment(self) -> dict[str, str]:
        """Of a server that signs with them."""
        return {
            "SIGNING_KEY": KEY_VERSION,
            "SIGNING_CERTIFICATE": self.signer.certificates,
            "KMS_EMULATOR_HOST": self.url,
            "TIMESTAMP_URL": f"{self.url}/time",
        }

    def count(self, path: str) -> int:
        """How often it was asked."""
        return sum(path in asked for asked in self.calls)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if request.path == "/time":
            how, content = self.time, self._stamp
        else:
            how, content = self.kms, self._signature
            if how != "well" and self.kms_faults is not None:
                self.kms_faults -= 1
                if self.kms_faults < 0:
                    how = "well"
        if how.isdigit():
            request.send_error(int(how))
            return
        if how == "slow":
            time.sleep(60)
            return
        answer = b"{}garbage" if how == "garbage" else content(body, how)
        request.send_response(200)
        request.send_header(
            "Content-Type", "application/timestamp-reply" if request.path == "/time" else "application/json"
        )
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        if how == "drips":
            for one in answer:
                time.sleep(DRIP_S)
                request.wfile.write(bytes([one]))
        request.wfile.write(answer)

    def _signature(self, body: bytes, how: str) -> bytes:
        key = self._stranger if how == "lies" else self.signer._key
        digest = base64.b64decode(json.loads(body)["digest"]["sha256"])
        signature = key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        return json.dumps({"name": KEY_VERSION, "signature": base64.b64encode(signature).decode()}).encode()

    def _stamp(self, body: bytes, how: str) -> bytes:
        return self._authority.answer(body, other_digest=how == "lies")
