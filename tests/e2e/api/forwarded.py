#!/usr/bin/env python3
"""Proxies that write Forwarded (RFC 7239), in front of a server of its own: the
client that they name is whom networks of keys and the audit see, and nobody else
may name one. Uses the same environment as contract.py."""
import http.client
import os
import re
import shlex
import socket
import subprocess
import sys
import time

from behaviour import check, get, post
from contract import Tally

PROXY, STRANGER = "127.0.0.2", "127.0.0.3"
CLIENT, OTHER = "203.0.113.9", "203.0.114.9"
PORT = 0


def settings():
    """Of the server that runs, but for where it listens and whom it trusts."""
    global PORT
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        PORT = free.getsockname()[1]
    with open(os.path.join(os.environ["API_DIR"], "api.yaml"),
              encoding="utf-8") as file:
        text = file.read()
    for name, value in (("listen", f"127.0.0.1:{PORT}"),
                        ("socket", os.environ["API_SOCKET"] + ".forwarded"),
                        ("trusted_proxies", f"{PROXY}\n  proxy_header: "
                         "forwarded\n  jobs: false")):
        text, n = re.subn(rf"(?m)^  {name}: .*$", f"  {name}: {value}", text)
        check(n == 1, f"{name} is set once")
    path = os.path.join(os.environ["API_DIR"], "forwarded.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def ask(key, source, *headers, method="GET", body=None):
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30,
                                   source_address=(source, 0))
    c.putrequest(method, "/v1/tenants")
    c.putheader("Authorization", "Bearer " + key)
    if body:
        c.putheader("Content-Type", "application/json")
        c.putheader("Content-Length", str(len(body)))
    for name, value in headers:
        c.putheader(name, value)
    c.endheaders(body)
    try:
        return c.getresponse().status
    finally:
        c.close()


def forwarded(*values):
    return [("Forwarded", value) for value in values]


def who_is_believed(key):
    for source, headers, wanted in (
            (PROXY, forwarded(f"for={CLIENT}"), 200),
            (PROXY, forwarded(f'for="{CLIENT}:4711";proto=https'), 200),
            (PROXY, forwarded(f"for={OTHER}"), 401),
            # who wrote it last is our proxy; what stands before may be made up
            (PROXY, forwarded(f"for={OTHER}, for={CLIENT}"), 200),
            (PROXY, forwarded(f"for={CLIENT}, for={OTHER}"), 401),
            (PROXY, forwarded(f"for={OTHER}", f"for={CLIENT}"), 200),
            (PROXY, forwarded(f"for={CLIENT}", f"for={OTHER}"), 401),
            (PROXY, forwarded(f"for={CLIENT}, for={PROXY}"), 200),
            # nobody, hidden, broken, or in the header that is not read
            (PROXY, [], 401),
            (PROXY, forwarded("for=_hidden"), 401),
            (PROXY, forwarded(f"for={CLIENT}, for=unknown"), 401),
            (PROXY, forwarded(f'for="{CLIENT}'), 401),
            (PROXY, [("X-Forwarded-For", CLIENT)], 401),
            (PROXY, forwarded(f"for={OTHER}")
             + [("X-Forwarded-For", CLIENT)], 401),
            # who is no proxy of ours
            (STRANGER, forwarded(f"for={CLIENT}"), 401),
            (STRANGER, forwarded(f"for={CLIENT}, for={PROXY}"), 401)):
        status = ask(key, source, *headers)
        check(status == wanted, f"{source}, {headers}: {status}")


def who_is_written_down(key, anywhere):
    """A key that may come from anywhere: the stranger itself is written down."""
    for name, k, source, client in (
            ("by a proxy", key, PROXY, CLIENT),
            ("by a stranger", anywhere, STRANGER, STRANGER)):
        body = f'{{"name": "{name}", "currency": "EUR"}}'
        status = ask(k, source, *forwarded(f"for={CLIENT}"), method="POST",
                     body=body.encode())
        check(status == 201, f"{name}: {status}")
        made = [t["id"] for t in get("/v1/tenants?limit=500")["data"]
                if t["name"] == name]
        audit = get("/v1/audit-events?object_id=" + made[0])["data"]
        check([a["ip"] for a in audit] == [client],
              f"{name}: the audit names {client}: {audit}")


def main():
    command = shlex.split(os.environ["API_COMMAND"])
    with open(os.path.join(os.environ["API_DIR"], "forwarded.log"), "wb") as log:
        server = subprocess.Popen([command[0], "-c", settings()], stderr=log)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and server.poll() is None:
            with socket.socket() as s:
                if not s.connect_ex(("127.0.0.1", PORT)):
                    break
            time.sleep(0.05)
        key, anywhere = (post("/v1/api-keys", {
            "name": "office", "scopes": ["platform:write"],
            **networks})["key"] for networks in (
                {"ip_acls": ["203.0.113.0/24"]}, {}))
        who_is_believed(key)
        who_is_written_down(key, anywhere)
    finally:
        server.terminate()
        check(server.wait(60) == 0, f"it ends well: {server.returncode}")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
