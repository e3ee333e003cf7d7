#!/usr/bin/env python3
"""Webhooks against a receiver of our own, which checks the signatures as
Standard Webhooks describes them: retries, rotation, replay, test-send, who
hears of what, two processes at work, addresses that are not public. Uses the
same environment as contract.py."""
import base64
import functools
import hashlib
import hmac
import http.server
import json
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from behaviour import ANY, check, get, make_key, patch, post
from contract import Tally, call
from contract import psql as sql

WAIT_S = 15


class Receiver(http.server.ThreadingHTTPServer):
    """Answers as it is told, and keeps what came."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.came, self.answers = [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, name, *answers):
        """Of an endpoint that gives these answers, the last for ever."""
        self.answers["/" + name] = list(answers) or [204]
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def at(self, name):
        with self.lock:
            return [m for m in self.came if m["path"] == "/" + name]

    def wait(self, name, n):
        until = time.monotonic() + WAIT_S
        while len(self.at(name)) < n and time.monotonic() < until:
            time.sleep(0.02)
        return self.at(name)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.came.append({"path": self.path, "body": body,
                                     "headers": self.headers,
                                     "at": time.time()})
            answers = self.server.answers[self.path]
            status = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def signatures(message, secret):
    """How many of the signatures this secret has made."""
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret[6:])
    h = message["headers"]
    signed = b".".join((h["webhook-id"].encode(),
                        h["webhook-timestamp"].encode(), message["body"]))
    good = "v1," + base64.b64encode(
        hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return h["webhook-signature"].split(" ").count(good)


def tell(kind, tenant=None, **data):
    """An event, as a switch brings it. Its id."""
    row = {"id": str(uuid.uuid4()), "kind": kind, "node": "n1", "data": data,
           "at": "2026-11-22T10:31:00.123Z", "tenant_id": tenant}
    sql("select api_v1.events_put('%s')" % json.dumps([row]))
    return row["id"]


def endpoint(url, kinds, tenant=None, key=None, **more):
    body = {"name": "e2e", "url": url, "kinds": kinds, **more}
    if tenant:
        body["tenant_id"] = tenant
    return post("/v1/webhook-endpoints", body, **({"key": key} if key else {}))


def deliveries(hook, wanted=lambda rows: True, **kw):
    until = time.monotonic() + WAIT_S
    while True:
        rows = get(f"/v1/webhook-endpoints/{hook['id']}/deliveries",
                   **kw)["data"]
        if wanted(rows) or time.monotonic() > until:
            return rows
        time.sleep(0.05)


def drop(*hooks):
    for hook in hooks:
        call("delete", "/v1/webhook-endpoints/" + hook["id"], headers=ANY)


def it_is_signed(receiver):
    hook = endpoint(receiver.url("signed"), ["call.ended"])
    secret = hook["secret"]
    check(get("/v1/webhook-endpoints/" + hook["id"])["secret"] is None,
          "the secret is shown once")
    check(sql("select count(*) from core.webhook_endpoint where "
              f"encode(secret_box, 'escape') like '%{secret[6:20]}%' or "
              f"to_jsonb(webhook_endpoint)::text like '%{secret[6:]}%'")
          == "0", "the database does not have it")
    event = tell("call.ended", outcome="ok", duration_ms=1200)
    tell("call.started")
    came = receiver.wait("signed", 1)
    check(len(came) == 1 and signatures(came[0], secret) == 1,
          f"one POST with our signature: {came}")
    message = came[0]
    check(message["headers"]["webhook-id"] == event, "the id of the event")
    check(abs(int(message["headers"]["webhook-timestamp"]) - time.time())
          < 60, "the time it was sent")
    check(message["headers"]["Content-Type"] == "application/json", "media")
    check(json.loads(message["body"]) == {
        "type": "call.ended", "timestamp": "2026-11-22T10:31:00.123Z",
        "id": event, "tenant_id": None, "object_id": None, "call_id": None,
        "data": {"outcome": "ok", "duration_ms": 1200}},
        f"the body: {message['body']}")
    rows = deliveries(hook, lambda r: r and r[0]["state"] == "delivered")
    check(len(rows) == 1 and rows[0]["status"] == 204 and
          rows[0]["attempts"] == 1 and rows[0]["event_id"] == event,
          f"its delivery: {rows}")
    seen = get("/v1/events?kind=call.ended&since=2026-11-22T10:31:00Z")
    check(event in [e["id"] for e in seen["data"]], "and in the list")
    check(call("get", "/v1/events?since=yesterday").status == 400, "since")
    drop(hook)


def it_is_tried_again(receiver):
    hook = endpoint(receiver.url("again", 500, 302, 200), ["carrier.down"])
    tell("carrier.down")
    came = receiver.wait("again", 3)
    check(len(came) == 3 and
          len({m["headers"]["webhook-id"] for m in came}) == 1 and
          len({m["body"] for m in came}) == 1,
          f"three times the same: {len(came)}")
    check(all(signatures(m, hook["secret"]) == 1 for m in came), "signed")
    gaps = [b["at"] - a["at"] for a, b in zip(came, came[1:])]
    check(gaps[0] > 0.25 and gaps[1] > 1.05, f"later and later: {gaps}")
    rows = deliveries(hook, lambda r: r[0]["state"] == "delivered")
    check(rows[0]["attempts"] == 3 and rows[0]["error"] is None,
          f"delivered at last: {rows}")
    check(not receiver.at("elsewhere"), "a redirect is not followed")
    check(get("/v1/webhook-endpoints/" + hook["id"])["failing_since"] is None,
          "it fails no more")
    drop(hook)


def it_dies_and_is_replayed(receiver):
    hook = endpoint(receiver.url("dead", 500), ["carrier.down"])
    event = tell("carrier.down")
    rows = deliveries(hook, lambda r: r[0]["state"] == "dead")
    check(rows[0]["state"] == "dead" and rows[0]["attempts"] >= 2 and
          rows[0]["error"] == "it answered 500" and
          rows[0]["next_at"] is None, f"given up: {rows}")
    before = len(receiver.at("dead"))
    receiver.url("dead", 200)
    path = f"/v1/webhook-deliveries/{rows[0]['id']}"
    call("post", path + "/replay?dry_run=1")
    check(get(path)["state"] == "dead", "dry_run sends nothing")
    post(path + "/replay", None, status=200)
    came = receiver.wait("dead", before + 1)
    check(len(came) == before + 1 and
          came[-1]["headers"]["webhook-id"] == event, "the same once more")
    rows = deliveries(hook, lambda r: r[0]["state"] == "delivered")
    check(rows[0]["state"] == "delivered" and rows[0]["attempts"] == 1,
          f"replayed: {rows}")
    check(call("post", "/v1/webhook-deliveries/nonsense/replay").status
          == 404, "no such delivery")
    drop(hook)


def secrets_are_replaced(receiver):
    hook = endpoint(receiver.url("rotate"), ["limit.reached"])
    path = f"/v1/webhook-endpoints/{hook['id']}"
    old = hook["secret"]
    hook = post(path + "/rotate", {"overlap_s": 3600}, status=200)
    check(hook["secret"] not in (None, old) and
          hook["previous_secret_until"], "another one")
    tell("limit.reached")
    both = receiver.wait("rotate", 1)[0]
    check(signatures(both, old) == 1 and
          signatures(both, hook["secret"]) == 1, "both signatures")
    newest = post(path + "/rotate", {"overlap_s": 0}, status=200)
    tell("limit.reached")
    one = receiver.wait("rotate", 2)[1]
    check(signatures(one, newest["secret"]) == 1 and
          len(one["headers"]["webhook-signature"].split(" ")) == 1,
          "only the new one")
    check("whsec_" not in sql("select string_agg(coalesce(after::text, '') "
                              "|| coalesce(before::text, ''), '') "
                              "from core.audit where kind = 'webhook'"),
          "the audit has no secret")
    drop(hook)


def endpoints_are_disabled(receiver):
    hook = endpoint(receiver.url("off", 500), ["carrier.up"])
    path = f"/v1/webhook-endpoints/{hook['id']}"
    tell("carrier.up")
    receiver.wait("off", 1)
    deliveries(hook, lambda r: r[0]["attempts"] > 0)
    sql("update core.webhook_endpoint set failing_since = now() - "
        f"interval '6 days' where id = '{hook['id']}'")
    tell("carrier.up")
    until = time.monotonic() + WAIT_S
    while get(path)["status"] == "active" and time.monotonic() < until:
        time.sleep(0.05)
    row = get(path)
    check(row["status"] == "disabled" and row["disabled_at"], f"off: {row}")
    told = get("/v1/events?kind=webhook.disabled&object_id=" + hook["id"])
    check(len(told["data"]) == 1, "and it is told")
    receiver.url("off", 200)
    row = patch(path, {"status": "active"})
    check(row["failing_since"] is None and row["disabled_reason"] is None,
          "on again")
    drop(hook)
    hook = endpoint(receiver.url("gone", 410), ["carrier.up"])
    tell("carrier.up")
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        row = get("/v1/webhook-endpoints/" + hook["id"])
        if row["status"] == "disabled":
            break
        time.sleep(0.05)
    check(row["disabled_reason"] == "it answered 410 Gone", f"gone: {row}")
    drop(hook)


def a_test_is_sent(receiver):
    hook = endpoint(receiver.url("test", 202), ["call.ended"])
    path = f"/v1/webhook-endpoints/{hook['id']}/test"
    result = post(path, None, status=200)
    came = receiver.at("test")
    check(result["delivered"] and result["status"] == 202 and
          len(came) == 1 and signatures(came[0], hook["secret"]) == 1 and
          json.loads(came[0]["body"])["type"] == "webhook.test" and
          came[0]["headers"]["webhook-id"] == result["webhook_message_id"],
          f"a test: {result}")
    patch("/v1/webhook-endpoints/" + hook["id"],
          {"url": "http://127.0.0.1:9/nobody"})
    result = post(path, None, status=200)
    check(not result["delivered"] and result["status"] is None and
          result["error"], f"nobody there: {result}")
    drop(hook)


def tenants_hear_of_their_own(receiver):
    top = post("/v1/tenants", {"name": "reseller", "currency": "EUR"})
    low = post("/v1/tenants", {"name": "customer", "currency": "EUR",
                               "parent_id": top["id"]})
    other = post("/v1/tenants", {"name": "stranger", "currency": "EUR"})
    keys = {t["id"]: make_key("h", "tenant:write", t["id"])
            for t in (top, low, other)}
    hooks = {}
    for name, t in (("top", top), ("low", low), ("other", other)):
        hooks[name] = endpoint(receiver.url(name), ["call.ended"],
                               key=keys[t["id"]])
        check(hooks[name]["tenant_id"] == t["id"], "its own by itself")
    event = tell("call.ended", low["id"])
    receiver.wait("top", 1)
    receiver.wait("low", 1)
    tell("call.ended")
    time.sleep(0.5)
    check([len(receiver.at(n)) for n in ("top", "low", "other")] == [1, 1, 0],
          "the customer and its reseller")
    lists = {name: [e["id"] for e in get("/v1/events", keys[t["id"]])["data"]]
             for name, t in (("top", top), ("low", low), ("other", other))}
    check(event in lists["top"] and event in lists["low"] and
          lists["other"] == [], f"events in the lists: {lists}")

    stranger = keys[other["id"]]
    row = deliveries(hooks["low"], lambda r: r)[0]
    path = "/v1/webhook-endpoints/" + hooks["low"]["id"]
    get(path, stranger, 404)
    get(path + "/deliveries", stranger, 404)
    get("/v1/webhook-deliveries/" + row["id"], stranger, 404)
    post(f"/v1/webhook-deliveries/{row['id']}/replay", None, stranger, 404)
    post(path + "/rotate", {}, stranger, 404)
    post(path + "/test", None, stranger, 404)
    check(call("delete", path, key=stranger, headers=ANY).status == 404,
          "nor deletes")
    post("/v1/webhook-endpoints", {
        "name": "x", "url": receiver.url("x"), "kinds": ["call.ended"],
        "tenant_id": low["id"]}, stranger, 422)
    refused = call("post", "/v1/webhook-endpoints", {
        "name": "x", "url": receiver.url("x"), "kinds": ["carrier.down"]},
        "application/json", stranger)
    check(refused.status == 422 and
          refused.json()["errors"][0]["pointer"] == "/kinds",
          f"carriers are not a tenant's: {refused.data!r}")
    get(path, keys[top["id"]])
    drop(*hooks.values())


class Other:
    """A second API process on the same database."""

    def __init__(self, **change):
        words = shlex.split(os.environ["API_COMMAND"])
        with open(words[2], encoding="utf-8") as f:
            lines = f.read().splitlines()
        self.folder = tempfile.TemporaryDirectory()
        with socket.create_server(("127.0.0.1", 0)) as s:
            change["listen"] = "127.0.0.1:%d" % s.getsockname()[1]
        change["socket"] = self.folder.name + "/sock"
        text = "\n".join(self.line(x, change) for x in lines)
        config = self.folder.name + "/api.yaml"
        with open(config, "w", encoding="utf-8") as f:
            f.write(text + "\n")
        self.log = open(self.folder.name + "/log", "w", encoding="utf-8")
        self.process = subprocess.Popen([words[0], "-c", config],
                                        stderr=self.log)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and self.ask("/readyz")[0] != 200:
            time.sleep(0.05)

    @staticmethod
    def line(text, change):
        name = text.split(":")[0].strip()
        return f"  {name}: {change[name]}" if name in change else text

    def ask(self, path, method="GET", body=None):
        """Over its unix socket: status and JSON."""
        out = subprocess.run(
            ["curl", "-s", "--unix-socket", self.folder.name + "/sock", "-X",
             method, "-H", "Authorization: Bearer " + os.environ["API_KEY"],
             "-H", "Content-Type: application/json", "-w", "\n%{http_code}",
             *(["-d", json.dumps(body)] if body else []),
             "http://x" + path], capture_output=True, text=True, check=False)
        text, _, status = out.stdout.rpartition("\n")
        return int(status or 0), json.loads(text) if text[:1] == "{" else {}

    def end(self):
        self.process.terminate()
        check(self.process.wait(20) == 0, "the other process ends well")
        self.log.close()
        self.folder.cleanup()


def two_do_not_double(receiver):
    hooks = [endpoint(receiver.url(f"two{i}"), ["registration.added"])
             for i in range(3)]
    other = Other()
    sql("select api_v1.events_put((select jsonb_agg(jsonb_build_object("
        "'id', gen_random_uuid(), 'kind', 'registration.added', 'at', "
        "now())) from generate_series(1, 100)))")
    for i in range(3):
        receiver.wait(f"two{i}", 100)
    time.sleep(0.3)
    for i in range(3):
        ids = [m["headers"]["webhook-id"] for m in receiver.at(f"two{i}")]
        check(len(ids) == 100 and len(set(ids)) == 100,
              f"each once by two processes: {len(ids)} {len(set(ids))}")
    other.end()
    drop(*hooks)


def private_addresses_are_refused(receiver):
    """Whatever the name says: the address that is connected to counts."""
    hook = endpoint(receiver.url("inside"), ["call.ended"])
    other = Other(allow_private="false")
    status, result = other.ask(
        f"/v1/webhook-endpoints/{hook['id']}/test", "POST")
    check(status == 200 and not result["delivered"] and
          "not public" in result["error"], f"refused: {result}")
    port = receiver.server_address[1]
    for url in (receiver.url("inside"), f"http://localhost:{port}/",
                f"http://[::1]:{port}/", "http://169.254.169.254/latest"):
        status, problem = other.ask("/v1/webhook-endpoints", "POST", {
            "name": "x", "url": url, "kinds": ["call.ended"]})
        check(status == 422 and problem["errors"][0]["pointer"] == "/url",
              f"{url}: {status} {problem}")
    # a name is no secret way in
    for name in ("localhost.", "ip6-localhost"):
        sql("update core.webhook_endpoint set url = "
            f"'http://{name}:{port}/inside' where id = '{hook['id']}'")
        _, result = other.ask(
            f"/v1/webhook-endpoints/{hook['id']}/test", "POST")
        check(not result["delivered"], f"by name: {result}")
    check(not receiver.at("inside"), "nothing came")
    other.end()
    drop(hook)


def certificate(folder, san, ca):
    """Key and certificate of this name, signed by that CA or by itself."""
    run = functools.partial(subprocess.run, check=True, capture_output=True)
    key, made = (os.path.join(folder, n) for n in ("key.pem", "made.pem"))
    request = ["openssl", "req", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
               "-subj", "/CN=receiver", "-addext", "subjectAltName=" + san]
    if not ca:
        run(request + ["-x509", "-days", "2", "-out", made])
        return key, made
    asked = os.path.join(folder, "asked.pem")
    run(request + ["-out", asked])
    run(["openssl", "x509", "-req", "-in", asked, "-CA", ca + ".pem",
         "-CAkey", ca + ".key", "-CAcreateserial", "-CAserial",
         os.path.join(folder, "serial"), "-days", "2",
         "-copy_extensions", "copy", "-out", made])
    return key, made


def over_tls(san, ca):
    """A receiver behind TLS with such a certificate."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        key, made = certificate(folder, san, ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, key)
    # what fails in the handshake is an OSError, which accept() may have
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    return receiver


def tls_is_checked():
    """An https endpoint needs a certificate of its name, by a CA that is
    trusted; else nothing is sent."""
    ca = os.environ["API_CA"]
    good = over_tls("IP:127.0.0.1", ca)
    hook = endpoint(good.url("tls").replace("http:", "https:"),
                    ["call.ended"])
    event = tell("call.ended")
    came = good.wait("tls", 1)
    check(len(came) == 1 and signatures(came[0], hook["secret"]) == 1 and
          came[0]["headers"]["webhook-id"] == event,
          f"delivered over TLS: {came}")
    drop(hook)
    for san, by, what in (("IP:127.0.0.2", ca, "another address"),
                          ("DNS:localhost", ca, "a name"),
                          ("IP:127.0.0.1", None, "signed by itself")):
        bad = over_tls(san, by)
        hook = endpoint(bad.url("tls").replace("http:", "https:"),
                        ["call.ended"], status="disabled")
        result = call("post", f"/v1/webhook-endpoints/{hook['id']}/test"
                      ).json()
        check(not result["delivered"] and result["status"] is None and
              re.search("SSL|certificate", result["error"]) and
              not bad.at("tls"), f"{what}: {result}")
        drop(hook)
    plain = Receiver()
    hook = endpoint(plain.url("plain").replace("http:", "https:"),
                    ["call.ended"], status="disabled")
    result = call("post", f"/v1/webhook-endpoints/{hook['id']}/test").json()
    check(not result["delivered"] and not plain.at("plain"),
          f"https is not spoken as http: {result}")
    drop(hook)


def main():
    # behaviour.py has broken all connections, which come back once a second
    time.sleep(1.5)
    receiver = Receiver()
    it_is_signed(receiver)
    it_is_tried_again(receiver)
    it_dies_and_is_replayed(receiver)
    secrets_are_replaced(receiver)
    endpoints_are_disabled(receiver)
    a_test_is_sent(receiver)
    tenants_hear_of_their_own(receiver)
    two_do_not_double(receiver)
    private_addresses_are_refused(receiver)
    tls_is_checked()
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
