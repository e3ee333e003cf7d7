#!/usr/bin/python3
"""What interception costs and whether anything is lost, through the real switch
and the real strowger-li: calls with media in both directions by bench_load, a
mediation function that counts (mdf_count), tasks over X1.

    calls    all calls of targets: each packet there, once; delay with and
             without, in turns; processor time of each packet
    outage   nobody takes delivery for --seconds, then: each number, in order;
             a spool that is full: one gap, counted and reported
    kill     strowger-li, then the switch, is killed with -9 under full load
    cost     calls of nobody that is sought, with and without tasks for others;
             a target's delay beside others' in the same seconds
"""
import argparse
import glob
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import parties
import procs
from bench import Load
from parties import Failed, Switch

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
DID = "19867c20-8c94-473e-b9cd-8b72b7b05fd1"
PPS = 50             # of a direction; bench_load's
DRAIN_S = 300
GENTLE = ["chrt", "--batch", "0", "nice", "-n", "17"] # as the units: batch,
# and CPUWeight=20 beside the switch's 1000
DELAY_US = 100       # that the p99 of a target may differ
PDU_OCTETS = 300     # of a packet of G.711 on X3, about


def called(i):
    """Whom call i of bench_load calls."""
    return "49%04d%06d" % (i * 7919 % 10000, i)


def nobody(i):
    """Whom no call of bench_load calls."""
    return "4930%08d" % i


class Mdf:
    """mdf_count; a new file is one that has had nothing."""

    def __init__(self, opt, world, folder):
        self.program = opt.build + "/tests/bench/mdf_count"
        self.world, self.folder, self.n = world, folder, 0
        self.port = world.port_free()
        self.process = None

    def start(self, anew=True):
        self.n += anew
        pem, key = self.world.mdf_pem
        self.process = subprocess.Popen(
            [self.program, "run", str(self.port), self.file(), pem, key,
             self.world.ca.pem])
        parties.wait_for("mdf_count", lambda: os.path.exists(self.file()))
        procs.pin([self.process.pid], parties.LOAD_CPU)

    def file(self):
        return f"{self.folder}/mdf-{self.n}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def report(self):
        return json.loads(parties.run([self.program, "report", self.file()]))

    def wait(self, what, test, seconds=20):
        """Until test(report) holds. @return the last report"""
        until = time.time() + seconds
        while True:
            found = self.report()
            if test(found):
                return found
            if time.time() > until:
                print(f"{what}: not so after {seconds} s: {found}",
                      file=sys.stderr)
                return found
            time.sleep(0.2)

    def settled(self, seconds=30):
        """Until nothing new comes. @return the last report"""
        found, until = None, time.time() + seconds
        while time.time() < until:
            last, found = found, self.report()
            if last and last["x3"] == found["x3"]:
                break
            time.sleep(1)
        return found

    def stop(self):
        if self.process:
            self.kill()


class Li:
    """A strowger-li with tasks for targets, which it keeps while it is away."""

    def __init__(self, opt, socket, targets, **settings):
        import world
        from authority import destination, task
        self.w = w = world.World(**{"poi.socket": socket, **settings})
        w.under = GENTLE
        w.port_free = world.port_free
        self.mdf = Mdf(opt, w, w.dir)
        self.xids = ["29f28e1c-f230-486a-a860-%012x" % i
                     for i in range(len(targets))]
        self.process = None
        w.start()
        w.x1("CreateDestination", destination(DID, self.mdf.port))
        for xid, number in zip(self.xids, targets):
            answer = w.x1("ActivateTask", task(
                xid, ["e164Number:" + number], [DID]))
            if ">Acknowledged<" not in answer:
                raise Failed("ActivateTask: " + answer)
        w.stop()

    def start(self):
        """Until every target is sought and the mediation function is there.
        It begins with nothing: what was delivered, but not yet confirmed when
        it was stopped, would come again."""
        for folder in glob.glob(self.w.state + "/spool-*"):
            shutil.rmtree(folder)
        self.mdf.start()
        self.again()
        parties.wait_for("delivery", lambda: self.mdf.report()[
            "connections"] >= 2)

    def again(self):
        """Until every target is sought."""
        self.w.start()
        procs.pin([self.w.process.pid], parties.SUT_CPU)
        self.wait_force()

    def wait_force(self):
        parties.wait_for("tasks in force", lambda: all(
            "<provisioningStatus>complete<" in self.w.x1(
                "GetTaskDetails", f"<xId>{xid}</xId>")
            for xid in (self.xids[0], self.xids[-1])))

    def pids(self):
        return [self.w.process.pid] if self.w.process else []

    def stop(self):
        if self.w.process:
            self.w.stop()
        self.mdf.stop()

    def close(self):
        self.stop()
        shutil.rmtree(self.w.dir, ignore_errors=True)


class Node(Switch):
    """The switch, with the socket of a strowger-li that need not be there."""

    def __init__(self, opt, folder):
        super().__init__(opt, folder)
        self.poi = folder + "/poi.sock"
        self.more = (f'intercept:\n  socket: "{self.poi}"\n'
                     f'  user: "{os.getuid()}"\n')

    def kill(self):
        self.processes[-1].kill()
        self.processes.pop().wait()

    def again(self):
        self.launch_node("bench")


def used(switch, li):
    return procs.cpu_ns(switch.pids()), procs.cpu_ns(li.pids() if li else [])


def run(opt, switch, li, calls, media_ms, *more, on_event=None):
    """One run of the load. @return what it said, and processor time in ns of
    (switch, strowger-li): of its packets, and of all from begin to end"""
    switch.check()
    switch.pin()
    begin, at, out = used(switch, li), {}, {"slices": []}
    for name, event in Load(opt, switch, "ip", opt.rate, calls, "--media-ms",
                            str(media_ms), *more).events():
        at[name] = used(switch, li)
        if on_event:
            on_event(name)
        if name == "slice":
            out["slices"].append(event)
        else:
            out[name] = event
    if "media" not in out or out["calls"]["ok"] != calls:
        raise Failed(f"calls failed: {out}; see {switch.folder}")
    time.sleep(opt.settle)
    end = used(switch, li)
    out["media_ns"] = [b - a for a, b in zip(at["media_start"],
                                             at["media_stop"])]
    out["all_ns"] = [b - a for a, b in zip(begin, end)]
    return out


def relayed(opt):
    """What the switch itself has counted."""
    with urllib.request.urlopen(
            f"http://127.0.0.1:{opt.port_base + 1}/metrics") as page:
        for line in page.read().decode().splitlines():
            if line.startswith("strowger_rtp_packets_total"):
                return int(float(line.rsplit(None, 1)[1]))
    raise Failed("no strowger_rtp_packets_total")


class Verdict:
    """Remembers what was missed."""

    def __init__(self):
        self.missed = []

    def want(self, holds, what):
        if not holds:
            self.missed.append(what)
        return holds


def whole(v, found, packets, calls, label):
    """Everything is there, once and in order."""
    v.want(found["x3"] == packets,
           f"{label}: {found['x3']} of {packets} packets delivered")
    v.want(found["x3_streams"] == calls and found["x2_streams"] == calls,
           f"{label}: {found['x2_streams']}, {found['x3_streams']} of "
           f"{calls} calls")
    v.want(found["rtp_sources"] == 2 * calls,
           f"{label}: {found['rtp_sources']} of {2 * calls} directions")
    for what in ("missing", "late", "differing", "malformed", "rtp_breaks"):
        v.want(not found[what], f"{label}: {what}: {found[what]}")


def calls_run(opt, switch, li, v, label):
    """One run. @return what it said; each packet is there, if there is an
    li"""
    before, marks = relayed(opt), {}

    def on_event(name):
        if li and name in ("media_start", "media_stop"):
            marks[name] = procs.cpu_ns(li.pids()), li.mdf.report()["x3"]

    out = run(opt, switch, li, opt.calls, opt.seconds * 1000,
              on_event=on_event)
    m, found, li_ns = out["media"], None, 0
    if li:
        ns, n = (b - a for a, b in zip(marks["media_start"],
                                       marks["media_stop"]))
        li_ns = ns / max(n, 1)
        found = li.mdf.wait("delivery",
                            lambda f: f["x3"] >= m["sent_all"])
        whole(v, found, m["sent_all"], opt.calls, "delivery")
        v.want(not found["repeated"],
               f"delivery: {found['repeated']} twice")
    passed = relayed(opt) - before
    v.want(m["sent_all"] == m["received_all"] == passed,
           f"media: {m['sent_all']} sent, {passed} relayed, "
           f"{m['received_all']} received")
    # strowger-li may be late: of what it delivered meanwhile
    out["ns"] = [out["media_ns"][0] / m["received"], li_ns]
    print(f"{label:8} {m['sent_all']:9} {m['received_all']:9} "
          f"{passed:9} {found['x3'] if found else 0:9} "
          f"{m['sent_all'] - found['x3'] if found else 0:5} "
          f"{m['delay_p50_us']:7} {m['delay_p99_us']:7} "
          f"{m['jitter_us']:7.0f} "
          f"{out['ns'][0]:8.0f} {out['ns'][1]:8.0f}", flush=True)
    return out


def is_busy(opt, *runs):
    """Who sends goes before all else: when that could not keep its time, the
    machine stood still, and delays are its own."""
    nominal = opt.calls * 2 * PPS * opt.seconds
    sent = min(r["media"]["sent"] for r in runs)
    if sent >= 0.999 * nominal:
        return False
    print(f"      busy: {sent} of {nominal} packets sent in time; delays are "
          "not counted", flush=True)
    return True


def calls_pair(opt, switch, li, v):
    """@return a run without and one with"""
    without = calls_run(opt, switch, None, v, "without")
    li.start()
    pair = without, calls_run(opt, switch, li, v, "with")
    li.stop()
    return pair


def bench_calls(opt, switch, folder, v):
    li = Li(opt, switch.poi, [called(i) for i in range(opt.calls)])
    runs = {"without": [], "with": []}
    try:
        run(opt, switch, None, opt.calls, 1000) # warm
        print(f"{opt.calls} calls, 50 packets/s each way, {opt.seconds} s\n"
              f"{'':8} {'sent':>9} {'received':>9} {'relayed':>9} {'X3':>9} "
              f"{'lost':>5} {'p50 us':>7} {'p99 us':>7} {'jitter':>7} "
              f"{'switch':>8} {'LI':>8}  (CPU ns a packet)")
        busy = 0
        while len(runs["with"]) < opt.reps:
            pair = calls_pair(opt, switch, li, v)
            if not is_busy(opt, *pair):
                runs["without"].append(pair[0])
                runs["with"].append(pair[1])
                continue
            busy += 1
            if busy > opt.reps:
                raise Failed("the machine is too busy to compare")
    finally:
        li.close()
    calls_report(opt, runs, v)


def calls_report(opt, runs, v):
    ns = {name: statistics.median(r["ns"][0] for r in rs)
          for name, rs in runs.items()}
    li_ns = statistics.median(r["ns"][1] for r in runs["with"])
    print(f"CPU of an intercepted packet: switch {ns['with']:.0f} ns "
          f"({ns['without']:.0f} when not intercepted), strowger-li "
          f"{li_ns:.0f} ns; medians")
    for key, what, limit in (("delay_p99_us", "p99 of the delay",
                              opt.delay_max),
                             ("jitter_us", "change between two packets",
                              None)):
        us = {name: [r["media"][key] for r in rs]
              for name, rs in runs.items()}
        print(f"{what}: {statistics.median(us['with']):.0f} us, without "
              f"{statistics.median(us['without']):.0f} us; medians")
        delay_row("  without, from one to the next", [
            b - a for a, b in zip(us["without"], us["without"][1:])])
        v.want(delay_row("  with against without", [
            b - a for a, b in zip(us["without"], us["with"])], limit),
            f"{what}, of intercepted calls")


def outage(opt, switch, li, seconds):
    """Calls whose mediation function is killed for so long.
    @return what the load said, what the mediation function has"""
    slice_s = max(1, seconds // 60)
    # between two attempts strowger-li waits up to 30 s
    before, after = 5 * slice_s, min(seconds, 30) + 10
    changes = [threading.Timer(before, li.mdf.kill),
               threading.Timer(before + seconds, li.mdf.start, [False])]

    def on_event(name):
        for change in changes if name == "media_start" else []:
            change.start()

    li.start()
    out = run(opt, switch, li, opt.calls, (before + seconds + after) * 1000,
              "--slice-ms", str(slice_s * 1000), on_event=on_event)
    p99 = [s["delay_p99_us"] for s in out["slices"]]
    n = seconds // slice_s
    out["p99"] = [statistics.median(part) for part in (
        p99[:5], p99[5:5 + n], p99[5 + n:])]
    return out


def outage_row(name, out, found, lost):
    print(f"{name:14} {out['media']['sent_all']:9} {found['x3']:9} "
          f"{found['missing']:8} {lost:8} {found['gaps_max']:5} "
          f"{found['repeated']:7} " + " ".join(
              f"{us:8.0f}" for us in out["p99"]), flush=True)


def bench_outage(opt, switch, folder, v):
    targets = [called(i) for i in range(opt.calls)]
    print(f"{opt.calls} calls, 50 packets/s each way; delays are p99 in us\n"
          f"{'':14} {'sent':>9} {'X3':>9} {'missing':>8} {'reported':>8} "
          f"{'gaps':>5} {'again':>7} {'before':>8} {'away':>8} {'after':>8}")
    runs = []
    li = Li(opt, switch.poi, targets)
    try:
        out = outage(opt, switch, li, opt.seconds)
        sent = out["media"]["sent_all"]
        found = li.mdf.wait("delivery", lambda f: f["x3"] >= sent, DRAIN_S)
        whole(v, found, sent, opt.calls, f"after {opt.seconds} s")
        v.want(li.w.reports.wait(["ReportDestinationIssue", "AllClear",
                                  "delivery of X3"]),
               "that delivery goes on was not reported")
        outage_row(f"{opt.seconds} s away", out, found, 0)
        runs.append(out)
    finally:
        li.close()

    li = Li(opt, switch.poi, targets, **{
        "delivery.spool_max_mib": opt.spool})
    try:
        # twice as long as it takes to fill it
        out = outage(opt, switch, li, max(10, round(
            2 * opt.spool * 2**20 / (2 * PPS * opt.calls * PDU_OCTETS))))
        sent = out["media"]["sent_all"]
        found = li.mdf.wait("delivery", lambda f: f["x3"] + f[
            "missing"] >= sent)
        lost = sum(r["lost"] for r in li.w.audit("delivery_loss_over"))
        v.want(found["missing"] > 0, f"{opt.spool} MiB were not filled")
        v.want(found["missing"] == lost and
               found["x3"] + found["missing"] == sent,
               f"a full spool: {sent} sent, {found['x3']} delivered, "
               f"{found['missing']} missing, {lost} reported")
        v.want(found["gaps_max"] == 1,
               f"a full spool: {found['gaps_max']} gaps in one row")
        for what in ("late", "differing", "malformed"):
            v.want(not found[what], f"a full spool: {what}: {found[what]}")
        v.want(li.w.reports.wait(["ReportDestinationIssue", "loss of X3"]),
               "the loss was not reported")
        outage_row(f"{opt.spool} MiB are full", out, found, lost)
        runs.append(out)
    finally:
        li.close()
    for out in runs:
        v.want(max(out["p99"][1:]) - out["p99"][0] <= opt.delay_max,
               f"media: p99 {out['p99']} us before, while away and after, "
               f"wanted at most {opt.delay_max} later")


def bench_kill(opt, switch, folder, v):
    li = Li(opt, switch.poi, [called(i) for i in range(opt.calls)])
    away = []

    def crash():
        began = time.monotonic()
        li.w.stop(signal.SIGKILL)
        li.again()
        away.append(time.monotonic() - began)

    try:
        li.start()
        timer = threading.Timer(opt.seconds / 3, crash)
        out = run(opt, switch, li, opt.calls, opt.seconds * 1000,
                  on_event=lambda name: name == "media_start" and
                  timer.start())
        timer.join()
        if not away:
            raise Failed("strowger-li did not come back")
        m = out["media"]
        v.want(m["sent_all"] == m["received_all"],
               f"media: {m['received_all']} of {m['sent_all']} received")
        bound = opt.calls * 2 * PPS * (away[0] + 0.5)
        found = li.mdf.settled()
        print(f"strowger-li killed and back after {away[0]:.1f} s: "
              f"{m['sent_all']} packets of {opt.calls} calls, "
              f"{m['sent_all'] - found['x3']} lost in that time (at most "
              f"{bound:.0f}), {found['repeated']} came twice, "
              f"{found['differing']} of them with another content",
              flush=True)
        v.want(found["x3"] >= m["sent_all"] - bound,
               "more is lost than what strowger-li was away for")
        v.want(found["gaps_max"] <= 1, f"{found['gaps_max']} gaps in a row")

        load = Load(opt, switch, "ip", opt.rate, opt.calls, "--media-ms",
                    str(opt.seconds * 1000))
        for line in load.process.stdout:
            if "media_start" in line:
                break
        time.sleep(1)
        switch.kill()
        load.process.kill()
        load.process.wait()
        load.process.stdout.close()
        before = li.mdf.report()
        switch.again()
        li.wait_force()
        out = run(opt, switch, li, opt.calls, opt.seconds * 1000)
        sent = out["media"]["sent_all"]
        found = li.mdf.wait("delivery", lambda f: f["x3"] - before[
            "x3"] >= sent)
        print(f"the switch killed: {sent} packets of the calls after that, "
              f"{sent + before['x3'] - found['x3']} lost, "
              f"{found['differing']} numbers with two contents")
        v.want(found["x3"] - before["x3"] == sent and
               found["missing"] == before["missing"],
               "calls after the switch's restart are not delivered whole")
        for what in ("differing", "late", "malformed"):
            v.want(not found[what], f"{what}: {found[what]}")
        v.want(li.w.run("audit", "verify")[0] == 0, "the audit is broken")
    finally:
        li.close()


def interval(values):
    """Mean, and half of the 95 % interval (Student's t)."""
    n, z = len(values), 1.959964
    df = n - 1
    t = z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (
        96 * df**2)
    return statistics.mean(values), t * statistics.stdev(values) / n**0.5


def ranks(values):
    """Median, and its 95 % interval by ranks: one run in which the machine did
    something else moves a mean of delays, not these."""
    values, n = sorted(values), len(values)
    k, below = 0, 0.5**n  # below: P(fewer than k + 1 of n are below it)
    while below <= 0.025:
        k += 1
        below += math.comb(n, k) * 0.5**n
    k = max(k, 1)         # fewer than six: the whole range
    return statistics.median(values), values[k - 1], values[n - k]


def cost_row(label, middle, low, high, unit, wanted=""):
    print(f"{label:48} {middle:+8.2f} {unit}  95 %: {low:+.2f} .. "
          f"{high:+.2f}" + (f"  (wanted: {wanted})" if wanted else ""))


def share_row(label, values, limit=None):
    """@return the most that the interval allows"""
    mean, half = interval(values)
    cost_row(label, mean, mean - half, mean + half, "%",
             f"at most {limit}" if limit else "")
    return mean + half


def delay_row(label, values, limit=None):
    """@return whether the whole interval is within the limit"""
    middle, low, high = ranks(values)
    cost_row(label, middle, low, high, "us",
             f"within {limit}" if limit else "")
    return limit is None or max(-low, high) <= limit


def media_row(out):
    """p99 of both halves of the calls, and of all."""
    return out["media"]["groups_p99_us"] + [out["media"]["delay_p99_us"]]


def cost_block(opt, switch, others, targets):
    """None, tasks for others, none, tasks for half of the calls.
    @return None: the machine was too busy to send what is to be compared"""
    out = []
    for li, copied in ((None, 0), (others, 0), (None, 0),
                       (targets, opt.calls // 2)):
        if li:
            li.start()
        r = run(opt, switch, li, opt.calls, opt.seconds * 1000,
                "--groups", "2")
        if li:
            found = li.mdf.wait("delivery",
                                lambda f, w=copied: f["x3_streams"] == w)
            if found["x3_streams"] != copied:
                raise Failed(f"{found['x3_streams']} calls are intercepted")
            li.stop()
        if is_busy(opt, r):
            return None
        out.append({"call": r["all_ns"][0] / opt.calls,
                    "packet": r["media_ns"][0] / r["media"]["received"],
                    "p99": media_row(r)})
    return out


def bench_cost(opt, switch, folder, v):
    # half of the calls are targets: one half, then the other
    numbers = [[nobody(i) for i in range(opt.tasks)]] + [
        [called(i) for i in range(half, opt.calls, 2)] for half in (0, 1)]
    sides = []
    try:
        for wanted in numbers:
            sides.append(Li(opt, switch.poi, wanted))
        run(opt, switch, None, opt.calls, 1000) # warm
        print(f"{opt.calls} calls with media for {opt.seconds} s a run; "
              f"{opt.tasks} tasks for others, or for half of the calls; CPU "
              "of the switch\n"
              f"{'':5} {'none':>16} {'others':>8} {'(us a call)':13} "
              f"{'none':>11} {'targets':>8} {'beside':>8} (p99, us)")
        blocks, busy = [], 0
        while len(blocks) < opt.reps:
            half = len(blocks) % 2
            block = cost_block(opt, switch, sides[0], sides[1 + half])
            if not block:
                busy += 1
                if busy > opt.reps // 2:
                    raise Failed("the machine is too busy to compare")
                continue
            for r in block:
                r["target"], r["beside"] = (r["p99"][half],
                                            r["p99"][not half])
            blocks.append(block)
            a, b, c, t = block
            print(f"{len(blocks):4}: {a['call'] / 1000:8.1f}"
                  f"{c['call'] / 1000:8.1f} {b['call'] / 1000:8.1f} {'':13} "
                  f"{a['target']:5} {c['target']:5} {t['target']:8} "
                  f"{t['beside']:8}", flush=True)
    finally:
        for li in sides:
            li.close()
    cost_report(v, blocks)


def cost_report(v, blocks):
    def shares(key):
        return [100 * (2 * b[key] / (a[key] + c[key]) - 1)
                for a, b, c, _ in blocks]

    share_row("a call, none against none", [
        100 * (c["call"] / a["call"] - 1) for a, _, c, _ in blocks])
    most = share_row("a call, tasks for others against none",
                     shares("call"), 2)
    v.want(most <= 2, f"CPU of a call: up to {most:.2f} % more with tasks "
           "for others, wanted at most 2 %")
    share_row("a packet of it, the same", shares("packet"))

    delay_row("p99 of the delay, one half against the other", [
        r["target"] - r["beside"] for a, _, c, _ in blocks for r in (a, c)])
    v.want(delay_row("  when it is that of the targets", [
        t["target"] - t["beside"] for _, _, _, t in blocks], DELAY_US),
        "p99 of a target's media beside others'")
    delay_row("p99 of one half, none against none", [
        c["target"] - a["target"] for a, _, c, _ in blocks])
    v.want(delay_row("  targets against none", [
        t["target"] - (a["target"] + c["target"]) / 2
        for a, _, c, t in blocks], DELAY_US),
        "p99 of a target's media beside the same calls with no task")


def options():
    p = argparse.ArgumentParser(prog="tests/bench/run li")
    p.add_argument("bench", choices=sorted(DEFAULTS))
    p.add_argument("--top", required=True, help=argparse.SUPPRESS)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--switch", help="another strowger-switch")
    p.add_argument("--calls", type=int, help="at once")
    p.add_argument("--seconds", type=int, help="of media; of the outage")
    p.add_argument("--rate", type=int,
                   help="calls begin and end so often a second")
    p.add_argument("--reps", type=int)
    p.add_argument("--spool", type=int, help="outage: MiB that get full")
    p.add_argument("--tasks", type=int, help="cost: tasks for others")
    p.add_argument("--delay-max", type=int, help="us that p99 may differ")
    p.add_argument("--port-base", type=int, default=22060)
    p.add_argument("--state", help="kept afterwards; else a temporary one")
    opt = p.parse_args()
    for name, value in DEFAULTS[opt.bench].items():
        if getattr(opt, name) is None:
            setattr(opt, name, value)
    opt.carrier_port = opt.port_base + 4
    opt.switch = opt.switch or opt.build + "/switch/strowger-switch"
    opt.settle = 0.6
    if opt.reps and opt.reps < 3:
        p.error("--reps: an interval needs three at least")
    return opt


def main():
    opt = options()
    if os.cpu_count() < 2:
        sys.exit("bench: two processors are needed, one for the load")
    os.environ["STROWGER_BUILD"] = opt.build
    sys.path.insert(0, opt.top + "/tests/e2e/li")
    folder = opt.state or tempfile.mkdtemp(prefix="strowger-bench-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    switch, v = Node(opt, folder + "/switch"), Verdict()
    try:
        switch.start()
        BENCHES[opt.bench](opt, switch, folder, v)
    except Failed as why:
        print(f"bench: {why}", file=sys.stderr)
        sys.exit(2)
    finally:
        switch.stop()
    if not opt.state:
        shutil.rmtree(folder)
    for line in v.missed:
        print("missed: " + line, file=sys.stderr)
    sys.exit(1 if v.missed else 0)


BENCHES = {"calls": bench_calls, "outage": bench_outage, "kill": bench_kill,
           "cost": bench_cost}
DEFAULTS = {
    "calls": {"calls": 200, "rate": 200, "seconds": 3, "reps": 10,
              "delay_max": 100},
    "outage": {"calls": 200, "rate": 200, "seconds": 300, "spool": 64,
               "delay_max": 1000},
    "kill": {"calls": 200, "rate": 200, "seconds": 15},
    "cost": {"calls": 200, "rate": 400, "seconds": 2, "reps": 20,
             "tasks": 200},
}

if __name__ == "__main__":
    main()
