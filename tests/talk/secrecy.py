"""What an operator can come by: all that a switch, its database and the API
say and keep, and a core of the switch."""
import mmap
import os
import resource
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CONTRACT = os.path.join(ROOT, "provisioning/openapi.yaml")
START_S = 40
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


def api_answers(node, program):
    """Every list and document that the API has."""
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
    out = {}
    with open(os.path.join(node.folder, "api.log"), "wb") as log:
        api = subprocess.Popen([program, "-c", config], stderr=log)
    try:
        base = "http://127.0.0.1:%d" % port
        wait_for(base + "/readyz")
        with open(CONTRACT, encoding="utf-8") as f:
            paths = yaml.load(f, yaml.CSafeLoader)["paths"]
        for path in (p for p, ways in paths.items()
                     if "get" in ways and "{" not in p):
            out["GET " + path] = get(base + path, key)
    finally:
        api.terminate()
        api.wait(30)
    return out


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
    ask = urllib.request.Request(url, headers={
        "Authorization": "Bearer " + key})
    try:
        with urllib.request.urlopen(ask, timeout=20) as answer:
            return answer.read()
    except urllib.error.HTTPError as e: # also what it refuses may say it
        return e.read()


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
