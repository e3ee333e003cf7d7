#!/usr/bin/python3
"""What a change costs and how long it takes, with calls going on:
    decks  a sheet of 300,000 rates is checked, applied and taken back; the
           time for it, and the worker's CPU time of a decision (p99) beside
           that of the quiet node
    apply  from the 2xx of a change to its being in force on both nodes; and
           the same when no NOTIFY comes, only the poll"""
import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import parties
from parties import Failed, Switch, wait_for

RATES = 300_000
RATE, QUIET_S = 100, 30
IMPORT_MAX_S, P99_RATIO_MAX = 60, 2.0
APPLY_N, APPLY_P99_MAX_MS = 100, 1000
LOST_N, LOST_P99_MAX_MS = 30, 3000
HEAD = ("prefix,destination,rate_per_min,connect_fee,initial_ms,"
        "increment_ms\n")


class Api:
    """strowger-api beside the switch of a bench."""

    def __init__(self, switch):
        opt, folder = switch.opt, switch.folder
        program = opt.build + "/provisioning/strowger-api"
        self.port = opt.port_base + 8
        with open(folder + "/api.yaml", "w") as f:
            f.write(f"""api:
  listen: 127.0.0.1:{self.port}
  socket: {folder}/api.sock
  dsn: host={switch.pg.socket} dbname=strowger user=bench
  control: {folder}/bench/control.sock
  rate: 10000
  burst: 10000
""")
        args = [program, "-c", folder + "/api.yaml"]
        self.key = parties.run(args + ["--create-key", "bench", "--scope",
                                       "platform:write"]).strip()
        switch.launch(args, "api")
        self.connection = None
        wait_for("strowger-api", self.is_ready)

    def is_ready(self):
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def call(self, method, path, body=None, kind="application/json"):
        """status, document, headers"""
        if not self.connection:
            self.connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": "Bearer " + self.key, "If-Match": "*"}
        if body is not None:
            headers["Content-Type"] = kind
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            data = answer.read()
        except OSError:
            self.connection = None
            raise
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status, json.loads(data) if is_json else data, \
            answer.headers

    def need(self, *args, **kw):
        status, document, headers = self.call(*args, **kw)
        if status // 100 != 2:
            raise Failed(f"{args[:2]}: {status} {document}")
        return document, headers

    def job(self, path, body=None, kind="application/json"):
        """Order it and wait: its row, with the seconds that it took."""
        self.connection = None # the one before may have idled too long
        began = time.monotonic()
        _, headers = self.need("POST", path, body, kind)
        while True:
            row, _ = self.need("GET", headers["Location"])
            if row["status"] not in ("queued", "running"):
                break
            time.sleep(0.2)
        if row["status"] != "done":
            raise Failed(f"{path}: {row}")
        row["seconds"] = time.monotonic() - began
        return row


class Decisions:
    """The histogram of the decision's CPU time, between two looks."""

    def __init__(self, port):
        self.port = port
        self.before = self.read()

    def read(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        found = re.findall(r'^strowger_admit_cpu_seconds_bucket\{le="([^"]+)"'
                           r'\} (\d+)', text, re.M)
        return [(float(le), int(n)) for le, n in found]

    def quantile_us(self, share):
        """Within its bucket by proportion, as Prometheus does."""
        now = [(le, n - b) for (le, n), (_, b) in
               zip(self.read(), self.before)]
        wanted, low, below = share * now[-1][1], 0.0, 0
        for le, n in now:
            if n >= wanted:
                if le == float("inf"):
                    return low * 1e6
                return (low + (le - low) * (wanted - below) /
                        max(1, n - below)) * 1e6
            low, below = le, n
        return 0.0

    def count(self):
        return self.read()[-1][1] - self.before[-1][1]


def load(opt, switch, seconds):
    return subprocess.Popen(
        [opt.build + "/tests/bench/bench_load", "--target", switch.target,
         "--caller", f"127.0.0.2:{opt.port_base + 6}", "--carrier",
         f"127.0.0.1:{opt.carrier_port}", "--rate", str(RATE), "--calls",
         str(RATE * seconds)], stdout=subprocess.PIPE, text=True)


def sheet(rate):
    """Seven digits each, and one line for the rest of the world."""
    lines = [HEAD, *(f"{d},World,{rate},0,1000,1000\n" for d in range(1, 10))]
    lines += [f"{1_000_000 + n},Place {n},{rate},0,1000,1000\n"
              for n in range(RATES - 9)]
    return "".join(lines).encode()


def run_decks(opt, switch, api):
    deck = switch.pg.psql("strowger", "-c", "select rate_deck_id from "
                          "core.trunk where rate_deck_id is not null "
                          "limit 1").strip()
    calls = load(opt, switch, 300)
    try:
        time.sleep(3)
        quiet = Decisions(opt.port_base + 1)
        time.sleep(QUIET_S)
        out = {"quiet_p99_us": quiet.quantile_us(.99),
               "quiet_calls": quiet.count()}
        busy = Decisions(opt.port_base + 1)
        check = api.job(f"/v1/rate-decks/{deck}/imports", sheet("0.05"),
                        "text/csv")
        path = "/v1/rate-imports/" + check["result"]["rate_import_id"]
        out["check_s"] = check["seconds"]
        out["apply_s"] = api.job(path + "/apply")["seconds"]
        began = time.monotonic()
        wait_for("the deck in force", lambda: switch.pg.psql(
            "strowger", "-c", "select count(*) from core.node where "
            "applied_version = (select version from core.state)") == "1\n",
            60)
        out["in_force_s"] = time.monotonic() - began
        out["busy_p99_us"] = busy.quantile_us(.99)
        out["busy_calls"] = busy.count()
        back = Decisions(opt.port_base + 1)
        out["rollback_s"] = api.job(path + "/rollback")["seconds"]
        out["rollback_p99_us"] = back.quantile_us(.99)
    finally:
        parties.end(calls)
    out["import_s"] = out["check_s"] + out["apply_s"]
    out["p99_ratio"] = out["busy_p99_us"] / max(out["quiet_p99_us"], .001)
    out["met"] = (out["import_s"] < IMPORT_MAX_S and
                  out["p99_ratio"] <= P99_RATIO_MAX)
    return out


def changes(api, trunk, count, first):
    """ms from each answer until every node has it, in order."""
    took = []
    for n in range(count):
        _, headers = api.need("PATCH", "/v1/trunks/" + trunk, json.dumps(
            {"max_call_s": first + n}))
        began = time.monotonic()
        version = int(headers["Strowger-Version"])
        while True:
            nodes, _ = api.need("GET", "/v1/nodes")
            if all(row["applied_version"] >= version
                   for row in nodes["data"]):
                break
            time.sleep(.002)
        took.append((time.monotonic() - began) * 1000)
    return sorted(took)


def figures(name, took):
    return {name + "changes": len(took), name + "p50_ms": took[len(took) // 2],
            name + "p99_ms": took[int(len(took) * .99)],
            name + "max_ms": took[-1]}


def run_apply(opt, switch, api):
    switch.start_node("second", 1, 30000)
    trunk = switch.pg.psql("strowger", "-c",
                           "select id from core.trunk limit 1").strip()
    calls = load(opt, switch, 240)
    try:
        out = figures("", changes(api, trunk, APPLY_N, 1000))
        # nobody is told any more: the poll has to find it
        body = switch.pg.psql("strowger", "-c", "select pg_get_functiondef("
                              "'core.change_note'::regproc)")
        silent = re.sub(r"notify strowger_change;", "", body)
        if silent == body:
            raise Failed("core.change_note() does not notify")
        switch.pg.psql("strowger", "-c", silent)
        lost = figures("lost_", changes(api, trunk, LOST_N, 2000))
    finally:
        parties.end(calls)
    out.update(lost, nodes=2)
    out["met"] = (out["p99_ms"] <= APPLY_P99_MAX_MS and
                  out["lost_p99_ms"] <= LOST_P99_MAX_MS)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("decks", "apply"))
    parser.add_argument("--top", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--port-base", type=int, default=27060)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-target", action="store_true")
    opt = parser.parse_args()
    opt.carrier_port = opt.port_base + 4
    opt.switch = opt.build + "/switch/strowger-switch"

    folder = tempfile.mkdtemp(prefix="strowger-bench-")
    os.chmod(folder, 0o755)
    switch = Switch(opt, folder + "/switch")
    try:
        switch.start()
        out = globals()["run_" + opt.what](opt, switch, Api(switch))
    except Failed as why:
        print(f"bench: {why}", file=sys.stderr)
        return 2
    finally:
        switch.stop()
        shutil.rmtree(folder, ignore_errors=True)

    if opt.json:
        print(json.dumps(dict(out, bench=opt.what)))
    else:
        for name, value in out.items():
            print(f"{name:18} {value:.1f}" if isinstance(value, float)
                  else f"{name:18} {value}")
    return 0 if out["met"] or opt.no_target else 1


if __name__ == "__main__":
    sys.exit(main())
