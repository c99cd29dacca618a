"""A receiver to look at: checks X-Signature, prints what came, answers 204.

Needs nothing but Python. PORT and SECRET come from the environment; without SECRET nothing is
checked. It is an example, not a server for production.
"""

import hashlib
import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("SECRET", "").encode()
PORT = int(os.environ.get("PORT", "8000"))


def is_signed(body: bytes, signature: str) -> bool:
    expected = hmac.new(SECRET, body, hashlib.sha1).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def receive(self) -> None:
        # The body as it came: what is parsed and written again has other bytes.
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if SECRET and not is_signed(body, self.headers.get("X-Signature", "")):
            self.answer(401)
            print(f"{self.command} {self.path}: NOT SIGNED by us", flush=True)
            return
        payload = json.loads(body)
        events = payload if isinstance(payload, list) else [payload]
        print(f"{self.command} {self.path}: {len(events)} events", flush=True)
        for event in events[:3]:
            print("  " + json.dumps(event, ensure_ascii=False)[:200], flush=True)
        self.answer(204)

    do_POST = do_PUT = do_PATCH = do_DELETE = receive

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", PORT), Receiver)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
