"""strowger-li in a folder of its own, with all whom it talks to, and the
counting of what holds."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import authority
import mdf
import pki
import poi

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("STROWGER_BUILD", os.path.join(TOP, "build/asan"))
PROGRAM = os.path.join(BUILD, "lawful-intercept/strowger-li")
SCHEMAS = os.environ.get("STROWGER_LI_SCHEMAS", os.path.join(
    os.path.dirname(TOP), "shared/data/li"))

counts = {"passed": 0, "failed": 0}


def check(holds, what, detail=""):
    counts["passed" if holds else "failed"] += 1
    if not holds:
        print(f"not ok - {what} {detail}", flush=True)
    return holds


def port_free():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


class World:
    def __init__(self, **settings):
        self.dir = tempfile.mkdtemp(prefix="strowger-li-")
        self.ca = pki.Ca(self.dir, "intercept-ca")
        self.ne = self.ca.issue("ne", san="IP:127.0.0.1")
        self.admf = self.ca.issue("admf", uid="admf-1", san="IP:127.0.0.1")
        self.mdf_pem = self.ca.issue("mdf", san="IP:127.0.0.1")
        self.reports = authority.Reports(self.ca.pem, self.admf)
        self.settings, self.port = settings, port_free()
        self.state = os.path.join(self.dir, "state")
        os.mkdir(self.state, 0o700)
        self.file = os.path.join(self.dir, "li.yaml")
        self.socket = os.path.join(self.dir, "poi.sock")
        key = os.path.join(self.dir, "key")
        subprocess.run([PROGRAM, "key", key], check=True)
        self.key, self.process = key, None
        self.under = []         # what runs strowger-li
        self.write(self.file)
        self.client = authority.Client(self.port, self.ca.pem, self.admf)

    def write(self, file, **more):
        user = subprocess.run(["id", "-un"], capture_output=True,
                              text=True).stdout.strip()
        s = {"ne.identifier": "ne-1", "ne.point": "poi-1",
             "state.folder": self.state, "state.key_file": self.key,
             "pki.certificate": self.ne[0], "pki.private_key": self.ne[1],
             "pki.ca": self.ca.pem, "pki.crl": self.ca.crl,
             "poi.socket": self.socket, "poi.user": user,
             "x1.listen": f'"127.0.0.1:{self.port}"', "x1.admf": "admf-1",
             "x1.report_url": f"https://127.0.0.1:{self.reports.port}/X1/ADMF",
             "numbering.country": '"49"'}
        s.update(self.settings)
        s.update(more)
        groups = {}
        for key, value in s.items():
            group, name = key.split(".")
            groups.setdefault(group, []).append(f"  {name}: {value}")
        with open(file, "w") as f:
            for group, lines in groups.items():
                f.write(f"{group}:\n" + "\n".join(lines) + "\n")

    def filter(self):
        """Runs under the system calls of its unit alone, where that can be."""
        filtered = os.path.join(TOP, "tests/lib/filtered")
        if subprocess.run([filtered], check=False).returncode:
            print("SKIP li_filter no systemd-analyze here")
        else:
            # root's SQLite gives its files to who has their folder
            self.under = [filtered, "--also", "fchown", os.path.join(
                TOP, "deploy/systemd/strowger-li.service")]

    def start(self):
        self.log = open(os.path.join(self.dir, "log"), "ab")
        env = dict(os.environ)
        # nobody looks into the process, LeakSanitizer neither
        if os.getuid() or self.under:
            env["ASAN_OPTIONS"] = "detect_leaks=0"
        self.process = subprocess.Popen(
            [*self.under, PROGRAM, "-c", self.file, "run"],
            stderr=self.log, stdout=self.log, env=env)
        end = time.time() + 20
        while time.time() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise RuntimeError("it does not start: " + self.logged())

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.log.close()
        self.process = None
        return code

    def logged(self):
        with open(os.path.join(self.dir, "log")) as f:
            return f.read()

    def mdf(self, **more):
        return mdf.Mdf(self.ca.pem, self.mdf_pem, **more)

    def poi(self):
        return poi.Poi(self.socket)

    def run(self, *args, file=None):
        done = subprocess.run([PROGRAM, "-c", file or self.file, *args],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def audit(self, event=None):
        out = self.run("audit", "show")[1]
        records = [json.loads(x) for x in out.splitlines()]
        return [r for r in records if not event or r["event"] == event]

    def audited(self, what, seconds=5):
        """Until a record is there for which what(record) is true."""
        end = time.time() + seconds
        while time.time() < end:
            if any(what(r) for r in self.audit()):
                return True
            time.sleep(0.05)
        return False

    def alarms(self):
        with open(os.path.join(self.state, "alarms")) as f:
            return [json.loads(x) for x in f]

    def x1(self, kind, body="", **more):
        return self.client.x1(authority.request(kind, body, **more))

    def close(self):
        if self.process:
            check(self.stop() == 0, "it ends with 0", self.logged())
        check("ERROR" not in self.logged() and
              "runtime error" not in self.logged(), "no sanitizer's report",
              self.logged()[-3000:])
        if os.environ.get("LI_KEEP"):
            print("kept in " + self.dir, file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def finish():
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)
