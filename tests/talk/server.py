"""An HTTP server of a script: keeps what it is asked, answers as it is told."""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import socket
import threading
import time

PORT = 8080
PATIENCE_S = 10


def flat(value, name=""):
    """{"a": {"b": 1}} -> {"a.b": "1"}"""
    if not isinstance(value, dict):
        text = value if isinstance(value, str) else json.dumps(value)
        return {name: "" if value is None else text}
    out = {}
    for k, v in value.items():
        out.update(flat(v, name + "." + k if name else k))
    return out


class Question:
    """A request, with the members of its JSON by their path."""

    def __init__(self, handler, body):
        self.headers, self.body = handler.headers, body
        self.facts = flat(json.loads(body))
        self.facts["path"] = handler.path
        self.facts["method"] = handler.command
        self.facts["connection"] = str(handler.connection_number)

    def is_signed(self, secret):
        """As Standard Webhooks says"""
        h = self.headers
        signed = b".".join((h["webhook-id"].encode(),
                            h["webhook-timestamp"].encode(), self.body))
        mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")),
                       signed, hashlib.sha256).digest()
        return "v1," + base64.b64encode(mac).decode() in \
            (h["webhook-signature"] or "").split() and \
            abs(int(h["webhook-timestamp"]) - time.time()) < 60


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection_number = self.server.count()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.questions.append(Question(self, body))
        self.server.ringer.send(b"!")
        answer = self.server.answer()
        time.sleep(answer["after"])
        if answer["code"] == "silent":
            self.server.ended.wait(PATIENCE_S)
        if not answer["code"].isdigit():
            self.close_connection = True
            return
        try:
            self.reply(int(answer["code"]), answer["body"].encode(),
                       answer["headers"])
        except OSError:
            self.close_connection = True

    def reply(self, code, body, headers):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        if code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if code != 204:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, ip):
        super().__init__((ip, PORT), Handler)
        self.questions = collections.deque()
        self.answers = collections.deque()
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.connections = 0
        self.bell, self.ringer = socket.socketpair()
        self.thread = threading.Thread(target=self.serve_forever,
                                       kwargs={"poll_interval": 0.1},
                                       daemon=True)
        self.thread.start()

    def count(self):
        with self.lock:
            self.connections += 1
            return self.connections

    def plan(self, code, body, after, headers):
        self.answers.append({"code": code, "body": body, "after": after,
                             "headers": headers})

    def answer(self):
        """What was planned for this question; without a plan it is 500."""
        try:
            return self.answers.popleft()
        except IndexError:
            return {"code": "500", "body": "no answer was planned",
                    "after": 0, "headers": []}

    def handle_error(self, *_):
        pass

    def close(self):
        self.ended.set()
        self.shutdown()
        self.server_close()
        self.bell.close()
