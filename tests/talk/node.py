"""What runs beside the scripts: private PostgreSQL clusters and switches."""
import json
import os
import re
import subprocess
import time
import urllib.request

import intercept
import strowger_li

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("STROWGER_BUILD") or os.path.join(ROOT, "build/asan")
SWITCH = os.path.join(os.path.abspath(BUILD), "switch/strowger-switch")
API = os.path.join(BUILD, "provisioning/strowger-api")
COMMAND = os.path.join(BUILD, "provisioning/command/strowger")
CLUSTER = os.path.join(ROOT, "tests/unit/base/cluster.sh")
START_S = 40
KEY = "00" * 32 # what world.BOX is sealed with
SANITIZER = re.compile(r"((ERROR|WARNING): \w+Sanitizer|runtime error:).*")


class Database:
    """A migrated cluster of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.owner = "host=%s user=postgres dbname=postgres" % folder
        self.switch_dsn = "host=%s user=switch dbname=postgres" % folder

    def start(self):
        self.cluster("start")
        done = subprocess.run(
            [COMMAND, "db", "migrate", "--dsn", self.owner, "--dir",
             os.path.join(ROOT, "sql/migrate")], capture_output=True,
            text=True, check=False)
        if done.returncode:
            raise RuntimeError("migrate: " + done.stdout + done.stderr)
        self.run("create role switch login in role strowger_switch")

    def save(self, copy):
        subprocess.run(["sh", CLUSTER, "save", self.folder, copy], check=True)

    def load(self, copy):
        """Instead of start(): as another one was when it was saved."""
        subprocess.run(["sh", CLUSTER, "load", copy, self.folder], check=True)

    def cluster(self, verb):
        subprocess.run(["sh", CLUSTER, verb, self.folder], check=True)

    def run(self, sql):
        done = subprocess.run(
            ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", self.owner,
             "-f", "-"], input=sql, capture_output=True, text=True,
            check=False)
        if done.returncode:
            raise RuntimeError(done.stderr + "in: " + sql[:2000])
        return done.stdout.strip()

    def rows(self, sql):
        out = self.run("select row_to_json(q) from (%s) q" % sql)
        return [json.loads(line) for line in out.splitlines()]


class Node:
    """One switch: settings, log, start and every way to end it."""

    def __init__(self, name, number, folder, address, database, options=None):
        self.name, self.folder, self.address = name, folder, address
        self.database = database
        self.log = os.path.join(folder, "log")
        self.control = os.path.join(folder, "control")
        self.process = None
        self.faults = []
        settings = {
            "node.name": name, "node.id": number,
            "node.state_dir": os.path.join(folder, "state"),
            "node.calls_max": 500,
            "sip.listen": address + ":5060", "sip.t1_ms": 100,
            "sip.t2_ms": 800, "sip.t4_ms": 1000,
            "media.address": address, "media.port_min": 20000,
            "media.port_max": 29999, "media.sessions_max": 500,
            "db.dsn": database.switch_dsn, "control.socket": self.control,
            "metrics.listen": address + ":9460",
            "decision.key_file": os.path.join(folder, "key"),
            "decision.allow_private": True,
        }
        settings.update(options or {})
        os.makedirs(folder)
        self.under = []           # what runs it
        if settings.pop("process.realtime", None) == "no" and not os.getuid():
            self.under = ["setpriv", "--bounding-set=-sys_nice"]
        self.listener = None
        if "intercept.socket" in settings:
            settings["intercept.socket"] = os.path.join(
                folder, settings["intercept.socket"])
            settings["intercept.user"] = str(os.getuid())
            is_program = settings.pop("intercept.program", None)
            listener = strowger_li if is_program else intercept
            self.listener = listener.Listener(settings["intercept.socket"])
        with open(settings["decision.key_file"], "w", encoding="ascii") as f:
            f.write(KEY + "\n")
        os.chmod(settings["decision.key_file"], 0o600)
        self.config = os.path.join(folder, "switch.yaml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(yaml_of(settings))

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, SWITCH, "--config", self.config], stderr=log,
                stdout=log, cwd=self.folder) # where a core would be

    def wait_catalog(self, is_online=True):
        """Until the switch has the database's catalog, or any at all."""
        wanted = 1
        if is_online:
            wanted = int(self.database.run(
                "select max(version) from core.change") or 0)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            if self.has_catalog(wanted):
                return
            time.sleep(0.05)
        raise RuntimeError("%s did not start: %s" % (self.name, self.tail()))

    def has_catalog(self, version):
        state = self.ask("status")
        return bool(state) and state["catalog_version"] >= version

    def command(self, *words):
        done = subprocess.run(
            [COMMAND, *words, "--control", self.control,
             "--dsn", self.database.owner],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def ask(self, *words):
        code, text = self.command(*words, "--format", "json")
        return json.loads(text) if code == 0 and text[:1] in "{[" else None

    def metrics(self):
        with urllib.request.urlopen("http://%s:9460/metrics" %
                                    self.address) as answer:
            return answer.read().decode()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """As an operator does; whatever is wrong by then is a fault."""
        if not self.process:
            return
        self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
            self.faults.append("did not end within 30 s of SIGTERM")
        self.process = None
        if code:
            self.faults.append("ended with %d" % code)

    def look(self):
        """What the log says that it never should."""
        with open(self.log, encoding="utf-8", errors="replace") as f:
            text = f.read()
        found = SANITIZER.search(text)
        if found:
            self.faults.append(text[found.start():found.start() + 6000])
        if "outcome=internal" in text:
            self.faults.append("a call met an impossible state: " + "\n".join(
                x for x in text.splitlines() if "outcome=internal" in x))
        if hasattr(self.listener, "end"):
            self.faults += self.listener.end()

    def lines(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read().splitlines()

    def tail(self):
        return "\n".join(self.lines()[-25:])


def yaml_of(settings):
    out, last = [], ""
    for key, value in settings.items():
        section, _, name = key.partition(".")
        if section != last:
            out.append(section + ":")
            last = section
        text = str(value).lower() if isinstance(value, int) \
            else '"%s"' % value
        out.append("  %s: %s" % (name, text))
    return "\n".join(out) + "\n"
