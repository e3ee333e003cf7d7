#!/usr/bin/python3
"""The same calls, or the same packets, through the switch and through its
peer, in turns; medians, and the ratio of both."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import parties
import procs
from parties import Failed, Kamailio, Switch

SETTLE_S = 1.5  # the ledger writes what has ended
CPS_RATIO_MAX, RTP_RATIO_MAX = 0.5, 1.0
CALLER = {"ip": "127.0.0.2", "digest": "127.0.0.3"}
CPS_WORK = ("authentication by {}, channel limit, 10000 prefixes, media "
            "anchored, record in PostgreSQL; {} calls/s")
RTP_WORK = "{} calls, G.711 50 packets/s each way"
MEM_CALLS, MEM_RATE = 1000, 200


class Load:
    """One run of the load program; its events are JSON lines."""

    def __init__(self, opt, party, mode, rate, calls, *more):
        caller = f"{CALLER[mode]}:{opt.port_base + 6}"
        args = [opt.build + "/tests/bench/bench_load", "--target",
                party.target, "--caller", caller, "--carrier",
                f"127.0.0.1:{opt.carrier_port}", "--rate", str(rate),
                "--calls", str(calls), *more]
        def elsewhere():
            os.sched_setaffinity(0, {parties.LOAD_CPU})
            procs.go_first()

        self.process = subprocess.Popen(args, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=elsewhere)

    def events(self):
        with self.process.stdout as out:
            for line in out:
                event = json.loads(line)
                yield event.pop("event"), event
        if self.process.wait():
            raise Failed(f"load: exit {self.process.returncode}")


def median_of(runs, key):
    return statistics.median(r[key] for r in runs)


def spread(runs, key):
    values = [r[key] for r in runs]
    return min(values), max(values)


def run_calls(opt, party, mode, rate, calls):
    """CPU per call of one run; raises when nothing was measured."""
    party.check()
    party.pin()
    records = party.records()
    cpu, pg_cpu = procs.cpu_ns(party.pids()), procs.cpu_ns(party.pg.pids())
    threads = procs.cpu_ns_by_thread(party.pids())
    drops = procs.udp_drops()
    done = None
    for name, event in Load(opt, party, mode, rate, calls).events():
        if name == "calls":
            done = event
    time.sleep(SETTLE_S)
    cpu = procs.cpu_ns(party.pids()) - cpu
    pg_cpu = procs.cpu_ns(party.pg.pids()) - pg_cpu
    if not done or not done["ok"]:
        raise Failed(f"{party.name}: no call succeeded, codes "
                     f"{done and done['codes']}; see {party.folder}")
    if opt.verbose:
        now = procs.cpu_ns_by_thread(party.pids())
        print(party.name, mode, rate, {
            k: round((v - threads.get(k, 0)) / 1000 / done["ok"], 1)
            for k, v in now.items()}, file=sys.stderr)
    return {
        "cpu_us_per_call": cpu / 1000 / done["ok"],
        "postgres_us_per_call": pg_cpu / 1000 / done["ok"],
        "challenges": sum(int(code.split(":")[1])
                          for code in done["codes"].split()
                          if code[:3] in ("401", "407")),
        "failed_calls": calls - done["ok"],
        "retransmissions": done["caller_retransmissions"]
        + done["carrier_retransmissions"],
        "missing_records": calls - (party.records() - records),
        "dropped_datagrams": procs.udp_drops() - drops,
        "answer_p50_us": done["answer_p50_us"],
        "answer_p99_us": done["answer_p99_us"],
        "load_us_per_call": done["load_cpu_s"] * 1e6 / calls,
    }


def run_media(opt, party, calls):
    party.check()
    party.pin()
    pids = party.media_pids()
    cpu, media = {}, None
    failed = 0
    for name, event in Load(opt, party, "ip", 100, calls, "--media-ms",
                            str(opt.seconds * 1000)).events():
        cpu[name] = procs.cpu_ns(pids)
        if name == "media":
            media = event
        elif name == "calls":
            failed = event["failed"]
    if not media or not media["received"]:
        raise Failed(f"{party.name}: no packet came through; see "
                     f"{party.folder}")
    used = cpu["media_stop"] - cpu["media_start"]
    return {
        "cpu_ns_per_packet": used / media["received"],
        "lost_packets": media["sent"] - media["received"],
        "packets_per_s": media["received"] / media["seconds"],
        "delay_p50_us": media["delay_p50_us"],
        "delay_p99_us": media["delay_p99_us"],
        "failed_calls": failed + calls - media["calls"],
    }


def run_memory(opt, party):
    """kB of PSS per call while all are open."""
    party.check()
    party.pin()
    hold_ms = MEM_CALLS * 1000 // MEM_RATE + 9000
    before = procs.pss_kb(party.pids())
    load = Load(opt, party, "ip", MEM_RATE, MEM_CALLS, "--hold", str(hold_ms))
    time.sleep(MEM_CALLS / MEM_RATE + 4)
    used = procs.pss_kb(party.pids()) - before
    done = dict(load.events())["calls"]
    return {"pss_kb_per_call": used / MEM_CALLS,
            "failed_calls": MEM_CALLS - done["ok"]}


def compare(sides, measure, reps):
    """The runs of each side, in turns, so that both see the same machine."""
    runs = {party.name: [] for party in sides}
    for _ in range(reps):
        for party in sides:
            runs[party.name].append(measure(party))
    return runs


class Report:
    """Rows of a table, or JSON lines; remembers what missed its target."""

    def __init__(self, opt, key, extra):
        self.opt, self.key, self.extra = opt, key, extra
        self.missed = []
        if not opt.json:
            print(f"{'':16} {'':18} {key:>18} {'(min-max)':>14} " + " ".join(
                f"{name:>{max(len(name), 6)}}" for name in extra))

    def row(self, label, work, runs, ratio_max):
        names = list(runs)
        medians = {n: median_of(runs[n], self.key) for n in names}
        ratio = None
        if len(names) == 2:
            ratio = medians[names[0]] / medians[names[1]]
        if self.opt.json:
            self.json_row(label, work, runs, medians, ratio, ratio_max)
        else:
            self.table_row(label, runs, medians, ratio)
        if ratio is not None and ratio_max and ratio > ratio_max:
            self.missed.append(f"{label}: {ratio:.2f} x the peer, wanted at "
                               f"most {ratio_max}")
        failed = sum(r["failed_calls"] for r in runs[names[0]])
        if failed:
            self.missed.append(f"{label}: {failed} calls of ours failed")
        lost = sum(r.get("missing_records", 0) for r in runs[names[0]])
        if lost:
            self.missed.append(f"{label}: {lost} records of ours missing")

    def json_row(self, label, work, runs, medians, ratio, ratio_max):
        names = list(runs)
        out = {"label": label, "work": work, "runs": len(runs[names[0]]),
               self.key: round(medians[names[0]], 1)}
        for prefix, name in zip(("", "peer_"), names):
            out[prefix + self.key] = round(medians[name], 1)
            low, high = spread(runs[name], self.key)
            out[prefix + self.key + "_min"] = round(low, 1)
            out[prefix + self.key + "_max"] = round(high, 1)
            for key in self.extra:
                out[prefix + key] = round(median_of(runs[name], key), 1)
        if ratio is not None:
            out |= {"peer": names[1], "ratio": round(ratio, 3)}
            if ratio_max:
                out["ratio_max"] = ratio_max
        print(json.dumps(out), flush=True)

    def table_row(self, label, runs, medians, ratio):
        for name in runs:
            low, high = spread(runs[name], self.key)
            print(f"{label:16} {name:18} {medians[name]:18.1f} "
                  f"{f'({low:.0f}-{high:.0f})':>14} " + " ".join(
                      f"{median_of(runs[name], key):>{max(len(key), 6)}.1f}"
                      for key in self.extra))
            label = ""
        if ratio is not None:
            print(f"{'':16} {'ratio':18} {ratio:18.3f}", flush=True)


def bench_cps(opt, sides):
    report = Report(opt, "cpu_us_per_call",
                    ["postgres_us_per_call", "challenges", "failed_calls",
                     "retransmissions", "missing_records",
                     "answer_p50_us", "answer_p99_us"])
    for party in sides:
        for mode in opt.modes:
            run_calls(opt, party, mode, 100, 200)
    for mode in opt.modes:
        for rate in opt.rates:
            runs = compare(sides, lambda p, m=mode, r=rate: run_calls(
                opt, p, m, r, r * opt.seconds), opt.reps)
            report.row(f"cps_{mode}_{rate}", CPS_WORK.format(
                "source address" if mode == "ip" else mode, rate),
                runs, CPS_RATIO_MAX)
    missed = report.missed
    if opt.mem:
        if not opt.json:
            print()
        report = Report(opt, "pss_kb_per_call", ["failed_calls"])
        runs = compare(sides, lambda p: run_memory(opt, p), 1)
        report.row("memory", f"{MEM_CALLS} calls open at once", runs, None)
        missed += report.missed
    return missed


def bench_rtp(opt, sides):
    report = Report(opt, "cpu_ns_per_packet",
                    ["packets_per_s", "lost_packets", "failed_calls",
                     "delay_p50_us", "delay_p99_us"])
    for calls in opt.calls:
        runs = compare(sides, lambda p, n=calls: run_media(opt, p, n),
                       opt.reps)
        report.row(f"rtp_{calls}", RTP_WORK.format(calls), runs,
                   RTP_RATIO_MAX)
    return report.missed


def numbers(text):
    return [int(word) for word in text.replace(",", " ").split()]


def options():
    p = argparse.ArgumentParser(prog="tests/bench/run")
    p.add_argument("bench", choices=["cps", "rtp"])
    p.add_argument("--top", required=True, help=argparse.SUPPRESS)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--switch", help="another strowger-switch")
    p.add_argument("--json", action="store_true")
    p.add_argument("--no-target", action="store_true")
    p.add_argument("--no-peer", action="store_true")
    p.add_argument("--mem", action="store_true")
    p.add_argument("--verbose", action="store_true",
                   help="CPU per thread, to stderr")
    p.add_argument("--reps", type=int, default=3)
    p.add_argument("--seconds", type=int, default=5)
    p.add_argument("--rates", type=numbers, default=[100, 200])
    p.add_argument("--calls", type=numbers, default=[100, 500])
    p.add_argument("--modes", type=str.split, default=["ip", "digest"])
    p.add_argument("--port-base", type=int, default=22060)
    p.add_argument("--state", help="kept afterwards; else a temporary one")
    opt = p.parse_args()
    opt.carrier_port = opt.port_base + 4
    opt.switch = opt.switch or opt.build + "/switch/strowger-switch"
    return opt


def bench(opt, folder):
    sides = []
    try:
        for kind in (Switch, Kamailio)[:1 if opt.no_peer else 2]:
            party = kind(opt, f"{folder}/{kind.__name__.lower()}")
            sides.append(party)
            party.start()
        return (bench_cps if opt.bench == "cps" else bench_rtp)(opt, sides)
    finally:
        for party in sides:
            party.stop()


def main():
    opt = options()
    if os.cpu_count() < 2:
        sys.exit("bench: two processors are needed, one for the load")
    folder = opt.state or tempfile.mkdtemp(prefix="strowger-bench-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    try:
        missed = bench(opt, folder)
    except Failed as why:
        print(f"bench: {why}", file=sys.stderr)
        sys.exit(2)
    if not opt.state:
        shutil.rmtree(folder)
    for line in missed:
        print("missed: " + line, file=sys.stderr)
    sys.exit(1 if missed and not opt.no_target else 0)


if __name__ == "__main__":
    main()
