"""What an operator can come by: all that a switch, its database and the API
say and keep, and a core of the switch."""
import datetime
import json
import mmap
import os
import re
import resource
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CONTRACT = os.path.join(ROOT, "provisioning/openapi.yaml")
START_S = 40
# what only a job of hours makes, a bill, or a fault
NO_OBJECT = {
    "/v1/rate-imports/{rate_import_id}", "/v1/rerates/{rerate_id}",
    "/v1/reconciliations/{reconciliation_id}", "/v1/invoices/{invoice_id}",
    "/v1/dead-letters/{dead_letter_id}", "/v1/jobs/{job_id}/output"}
LEVEL = re.compile("(ten|acc|trk|sit|did|car|gwy)_[0-9a-z]{26}$")
# every row of every view of statistics that there is, extensions' too
STATISTICS = """
select format('select %L || v::text from %I.%I v;', viewname || ' ',
    schemaname, viewname) from pg_views where viewname like 'pg\\_stat%'
"""


def files(folder):
    """What the switch keeps, its log among it."""
    out = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path) and name != "switch.yaml":
                with open(path, "rb") as f:
                    out[path] = f.read()
    return out


class Api:
    """Every GET operation of the contract, each with the ids that its lists
    tell."""

    def __init__(self, base, key):
        self.base, self.key = base, key
        self.answers = {}     # "GET path" -> octets
        self.seen = set()     # ids
        self.told = set()     # operations that gave what was asked for
        with open(CONTRACT, encoding="utf-8") as f:
            self.contract = yaml.load(f, yaml.CSafeLoader)
        self.paths = {path: ways for path, ways in
                      self.contract["paths"].items() if "get" in ways}

    def resolved(self, parameter):
        if "$ref" not in parameter:
            return parameter
        return self.contract["components"]["parameters"][
            parameter["$ref"].rsplit("/", 1)[1]]

    def query(self, path):
        """What has to be said, which is the begin and end of a time."""
        ways = self.paths[path]
        names = [p["name"] for p in map(self.resolved, (
                     ways.get("parameters", []) +
                     ways["get"].get("parameters", [])))
                 if p["in"] == "query" and p.get("required")]
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        return "?" * bool(names) + "&".join(
            "%s=%s" % (urllib.parse.quote(name), (
                now - day if name in ("from", "started_at[gte]")
                else now + day).strftime("%Y-%m-%dT00:00:00Z"))
            for name in names)

    def ask(self, path, url):
        name = "GET " + url
        if name not in self.answers:
            status, self.answers[name] = get(
                self.base + url + self.query(path), self.key)
            if status == 200:
                self.told.add(path)
        return self.answers[name]

    def ids(self, path, url, parameter):
        """Of the objects that a list tells, or of what has no list."""
        if path == "/problems":
            return ["not_found"]
        if path == "/v1/limits": # of every level
            return sorted(i for i in self.seen if LEVEL.match(i))
        if path == "/v1/webhook-deliveries": # each endpoint lists its own
            lists = [a for name, a in self.answers.items()
                     if name.endswith("/deliveries")]
        else:
            lists = [self.ask(path, url)]
        found = []
        for item in sum((json.loads(a).get("data", []) for a in lists), []):
            found += [item[k] for k in ("id", parameter, "name", "prefix")
                      if item.get(k)][:1]
        self.seen.update(found)
        return found

    def urls(self, path):
        """The path with ids in it: every way there is."""
        out, before = [""], ""
        for part in path.split("/")[1:]:
            if part[0] == "{":
                out = [url + "/" + urllib.parse.quote(value, "")
                       for url in out
                       for value in self.ids(before, url, part[1:-1])]
            else:
                out = [url + "/" + part for url in out]
            before += "/" + part
        return out

    def ask_all(self):
        for path in self.paths:
            for url in self.urls(path):
                self.ask(path, url)
        missing = [path for path in set(self.paths) - self.told
                   if not any(path.startswith(n) for n in NO_OBJECT)]
        if missing:
            raise ValueError("not told by the API: %s" % sorted(missing))
        return self.answers


def api_answers(node, program):
    """Every list, object and document that the API has."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    config = os.path.join(node.folder, "api.yaml")
    if not node.database.run("select 1 from pg_roles where rolname = 'api'"):
        node.database.run("create role api login in role strowger_api")
    with open(config, "w", encoding="ascii") as f:
        f.write("api:\n  listen: 127.0.0.1:%d\n  dsn: host=%s user=api "
                "dbname=postgres\n  control: %s\nwebhooks:\n  key_file: %s\n"
                % (port, node.database.folder, node.control,
                   os.path.join(node.folder, "key")))
    key = subprocess.run(
        [program, "-c", config, "--create-key", "look", "--scope",
         "platform:read"], check=True, capture_output=True,
        text=True).stdout.strip()
    with open(os.path.join(node.folder, "api.log"), "wb") as log:
        api = subprocess.Popen([program, "-c", config], stderr=log)
    try:
        base = "http://127.0.0.1:%d" % port
        wait_for(base + "/readyz")
        return Api(base, key).ask_all()
    finally:
        api.terminate()
        api.wait(30)


def wait_for(url):
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the API did not start")


def get(url, key):
    """@return (status, octets)"""
    ask = urllib.request.Request(url, headers={
        "Authorization": "Bearer " + key})
    try:
        with urllib.request.urlopen(ask, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e: # also what it refuses may say it
        return e.code, e.read()


def surfaces(node, call, program):
    """@return name -> octets"""
    out = files(node.folder)
    out["metrics"] = node.metrics().encode()
    for words in (("status",), ("calls",), ("trace", call)):
        for form in ("json", "text"):
            out[" ".join(words) + " " + form] = node.command(
                *words, "--format", form)[1].encode()
    out["pg_dump"] = subprocess.run(
        ["pg_dump", "-d", node.database.owner], check=True,
        capture_output=True).stdout
    out["pg_stat"] = node.database.run(
        node.database.run(STATISTICS)).encode()
    out.update(api_answers(node, program))
    return out


def core(node):
    """The switch dies and leaves one. @return its file; None: not here"""
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as f:
        pattern = f.read().strip()
    if "/" in pattern or "|" in pattern or "%" in pattern:
        return None
    try:
        resource.prlimit(node.process.pid, resource.RLIMIT_CORE,
                         (resource.RLIM_INFINITY,) * 2)
    except (OSError, ValueError):
        return None
    node.process.send_signal(signal.SIGABRT)
    node.process.wait(120)
    pid, node.process = node.process.pid, None
    found = [os.path.join(node.folder, name)
             for name in (pattern, "%s.%d" % (pattern, pid))]
    return next((f for f in found if os.path.exists(f)), None)


def core_find(file, needles):
    """Those of the needles that are in it."""
    with open(file, "rb") as f, mmap.mmap(
            f.fileno(), 0, access=mmap.ACCESS_READ) as m:
        return [n for n in needles if m.find(n) >= 0]
