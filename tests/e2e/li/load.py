#!/usr/bin/python3
"""Many intercepted calls at once: is every copy delivered, once and in order,
and what does one cost? A longer command, not a step of tests/run.
    load.py [--calls 200] [--seconds 20] [--outage S]
Each call has 50 packets a second in both directions. STROWGER_BUILD should be
a release build. --outage: nobody takes delivery for S seconds in the middle."""
import argparse
import os
import struct
import time

import mdf
import poi
from authority import destination, task
from world import World, check, finish

XID = "29f28e1c-f230-486a-a860-f5a784ab9171"
DID = "19867c20-8c94-473e-b9cd-8b72b7b05fd1"


class Counter(mdf.Mdf):
    """Keeps numbers only."""
    numbers, doubles, disorder = {}, 0, 0

    def _take(self, s, kept):
        at, n = 0, len(kept)
        numbers = self.numbers
        while n - at >= 12:
            head, load = struct.unpack_from(">II", kept, at + 4)
            if n - at < head + load:
                break
            if kept[at + 3] == 3:
                s.sendall(kept[at:at + 2] + b"\0\4" + kept[at + 4:at + 48])
            elif kept[at + 3] == 2:
                # after NFID "ne-1" and IPID "poi-1"
                seq = int.from_bytes(kept[at + 61:at + 65], "big")
                call = kept[at + 32:at + 40]
                want = numbers.get(call, 0)
                if seq < want:
                    self.doubles += 1
                elif seq > want:
                    self.disorder += 1
                numbers[call] = max(want, seq + 1)
            at += head + load
        return kept[at:]

    def count(self):
        return sum(self.numbers.values())


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


a = argparse.ArgumentParser()
a.add_argument("--calls", type=int, default=200)
a.add_argument("--seconds", type=float, default=20)
a.add_argument("--outage", type=float, default=0)
o = a.parse_args()
w = World()
try:
    w.start()
    m = Counter(w.ca.pem, w.mdf_pem)
    s = w.poi()
    w.x1("CreateDestination", destination(DID, m.port))
    w.x1("ActivateTask", task(XID, ["e164Number:4930990011"], [DID]))
    s.wait(1)
    m.wait(lambda m: m.connections >= 2)
    s.s.settimeout(60)
    calls = [poi.call_id() for _ in range(o.calls)]
    for c in calls:
        s.call(c, [(s.find("tel:4930990011")[0], poi.CALLING)])
    before, began, ticks = cpu_s(w.process.pid), time.time(), 0
    packet = poi.rtp_packet(1)
    heads = [[poi.message(poi.RTP, c + struct.pack(
        ">qBH", time.time_ns(), leg, 0) + poi.address("192.0.2.1", 4000)
        + poi.address("192.0.2.2", 5000) + packet) for leg in (1, 2)]
        for c in calls]
    while time.time() - began < o.seconds:
        for pair in heads:
            s.s.send(pair[0])
            s.s.send(pair[1])
        ticks += 1
        if o.outage and abs(ticks * 0.02 - o.seconds / 3) < 0.01:
            m.kill()
        if o.outage and not m.listener and \
                ticks * 0.02 > o.seconds / 3 + o.outage:
            m.start()
        time.sleep(max(0, began + ticks * 0.02 - time.time()))
    took, sent = time.time() - began, ticks * 2 * o.calls
    if not m.listener:
        m.start()
    end = time.time() + 120
    while m.count() < sent and time.time() < end:
        time.sleep(0.1)
    used = cpu_s(w.process.pid) - before
    for c in calls:
        s.end(c)
    check(m.count() == sent, "every copy is delivered", (m.count(), sent))
    check(m.disorder == 0, "in order", m.disorder)
    check(o.outage or m.doubles == 0, "once", m.doubles)
    print(f"{o.calls} calls, {sent} packets in {took:.1f} s "
          f"({sent / took:.0f}/s), {sent - m.count()} lost, {m.doubles} sent "
          f"again, {used / sent * 10**6:.1f} us of CPU each, "
          f"{used / took * 100:.0f} % of a core")
finally:
    w.close()
finish()
