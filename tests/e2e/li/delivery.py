#!/usr/bin/python3
"""X2 and X3: what a switch copies gets to the mediation function, exactly,
once, in order, through everything that can happen on the way."""
import os
import re
import signal
import socket
import subprocess
import time

import mdf
import pki
import poi
from authority import destination, task
from world import World, check, finish

X1, X2, X3, X4 = ("29f28e1c-f230-486a-a860-f5a784ab917" + c for c in "1234")
D1 = "19867c20-8c94-473e-b9cd-8b72b7b05fd1"
D2 = "19867c20-8c94-473e-b9cd-8b72b7b05fd2"
D3 = "19867c20-8c94-473e-b9cd-8b72b7b05fd3"
TARGET = "4930990011"
INVITE = ("INVITE sip:+4930123456@pbx.example SIP/2.0\r\n"
          "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKli1\r\n"
          "From: <sip:+4930990011@pbx.example>;tag=a1\r\n"
          "To: <sip:+4930123456@pbx.example>\r\n"
          "Call-ID: li-test-1@192.0.2.10\r\nCSeq: 1 INVITE\r\n"
          "Content-Length: 0\r\n\r\n").encode()
OK = INVITE.replace(b"INVITE sip:+4930123456@pbx.example SIP/2.0",
                    b"SIP/2.0 200 OK")


def up(w, n, m):
    check(m.wait(lambda m: m.connections >= n), f"{n} connections",
          m.connections)


def tshark_reads(w, m):
    """Debian's decoder reads every PDU, and the SIP and RTP in it."""
    file = os.path.join(w.dir, "pdus.pcap")
    m.pcap(file)
    out = subprocess.run(
        ["tshark", "-r", file, "-d", "tcp.port==42069,5gli", "-T", "fields",
         "-e", "li5g.type", "-e", "li5g.pf", "-e", "li5g.pd", "-e",
         "li5g.cid", "-e", "sip.Call-ID", "-e", "rtp.seq", "-e",
         "_ws.malformed"], capture_output=True, text=True)
    rows = [x.split("\t") for x in out.stdout.splitlines()]
    check(len(rows) == len(m.pdus), "tshark sees every PDU", out.stderr)
    check(not any(r[6] for r in rows), "none is malformed")
    check(sum(1 for r in rows if r[0] == "1" and
              r[4] == "li-test-1@192.0.2.10") == len(m.of(1)),
          "tshark reads the SIP of each X2", rows[:2])
    check([r[5] for r in rows if r[0] == "2"] ==
          [str(int.from_bytes(p.payload[2:4], "big")) for p in m.of(2)],
          "tshark reads the RTP of each X3")
    check({r[2] for r in rows} == {"2", "3"}, "both directions")


def one_call(w, m, s):
    w.x1("CreateDestination", destination(D1, m.port))
    # a destination that is named twice gets it once
    text = w.x1("ActivateTask", task(X1, [f"e164Number:{TARGET}"], [D1, D1]))
    check(">Acknowledged<" in text, "taken, and not yet in force", text)
    s.wait(1)
    check(w.reports.wait(["ReportTaskIssue", X1, "FullyActionedAndSuccessful",
                          "9040"]), "the ADMF hears that it is in force")
    check("<provisioningStatus>complete<" in w.x1(
        "GetTaskDetails", f"<xId>{X1}</xId>"), "and can ask")
    found = s.find("tel:" + TARGET)
    check(found and found[1] == 3, "SIP and RTP are wanted", s.targets)
    check(not s.find("tel:4930"), "nobody else is sought")
    up(w, 2, m)

    call = poi.call_id()
    s.call(call, [(found[0], poi.CALLING)])
    at = [s.sip(call, poi.A, poi.RECEIVED, INVITE),
          s.sip(call, poi.B, poi.SENT, INVITE),
          s.sip(call, poi.B, poi.RECEIVED, OK),
          s.sip(call, poi.A, poi.SENT, OK)]
    packets, s.at_once = [], 10
    for i in range(50):
        for leg in (poi.A, poi.B):
            packets.append(poi.rtp_packet(i, ssrc=leg))
            s.rtp(call, leg, packets[-1])
    s.at_once = 1
    s.end(call)
    check(m.wait(lambda m: len(m.pdus) == 104), "all PDUs come", len(m.pdus))
    x2, x3 = m.of(1, X1), m.of(2, X1)
    check([p.payload for p in x2] == [INVITE, INVITE, OK, OK],
          "SIP octet by octet")
    check([p.direction for p in x2] == [3, 3, 2, 2],
          "from and to the target", [p.direction for p in x2])
    check([p.wall_ns() for p in x2] == at, "the time of interception")
    check([p.payload for p in x3] == packets, "RTP octet by octet, in order")
    check([p.direction for p in x3] == [3, 2] * 50, "both directions of RTP")
    check([p.seq() for p in x2] == list(range(4)), "numbers of X2")
    check([p.seq() for p in x3] == list(range(100)), "numbers of X3")
    check({p.correlation for p in m.pdus} == {call[8:].hex()},
          "one correlation for X2 and X3")
    check({(p.major, p.minor) for p in m.pdus} == {(0, 5)}, "version 5")
    check({p.attribute(17) for p in x2} ==
          {f"<e164Number>{TARGET}</e164Number>".encode()}, "matched target")
    check({(p.attribute(6), p.attribute(7)) for p in m.pdus} ==
          {(b"ne-1", b"poi-1")}, "who intercepts, and where")
    check({(p.attribute(10), p.attribute(14), p.attribute(16)) for p in x2} ==
          {(b"\xc0\0\2\n", b"\x13\xc4", b"\x11")}, "addresses")
    check(max(p.header_len for p in m.pdus) < 320, "headers below 320 octets")
    tshark_reads(w, m)
    check(w.audited(lambda r: r["event"] == "delivery_start" and
                    r["xid"] == X1), "the begin is written down")
    check(w.audited(lambda r: r["event"] == "delivery_stop" and
                    r["x2"] == 4 and r["x3"] == 100), "and the end")
    m.pdus.clear()


def who_gets_what(w, m, s, m2):
    """Two agencies on one target; products; forms of a number; times."""
    w.x1("CreateDestination", destination(D2, m2.port))
    w.x1("ActivateTask", task(X2, [f"sipUri:sip:+{TARGET}@a.example"], [D2],
                              "X2Only", more=f"<productID>{X4}</productID>"))
    w.x1("ActivateTask", task(X3, ["telUri:tel:030-77 88;phone-context=+49"
                                   .replace(" ", "")], [D2], "X3Only"))
    s.wait(2)
    check(w.reports.wait(["ReportTaskIssue", X2,
                          "FullyActionedAndSuccessful"]),
          "a target that was sought already is in force, too")
    same, other = s.find("tel:" + TARGET), s.find("tel:49307788")
    check(same and same[1] == 3, "one number, two tasks, one digest")
    check(other and other[1] == 2, "X3 only: no SIP is wanted", other)

    call = poi.call_id()
    s.call(call, [(same[0], poi.CALLED)])
    s.sip(call, poi.A, poi.RECEIVED, INVITE)
    s.rtp(call, poi.A, poi.rtp_packet(1))
    s.call(call, [(other[0], poi.FORWARDING)])
    s.rtp(call, poi.B, poi.rtp_packet(2))
    s.sip(call, poi.B, poi.RECEIVED, OK)
    s.end(call)
    m.wait(lambda m: len(m.pdus) == 4)
    m2.wait(lambda m: len(m.pdus) == 3)
    check([(p.type, p.direction) for p in m.pdus if p.type == 1] ==
          [(1, 2), (1, 3)], "to one that is called")
    check(len(m.of(2, X1)) == 2, "the first agency has both packets")
    check(not m.of(1, X2) and not m.of(2, X3) and
          not m2.of(1, X1) and not m2.of(2, X1),
          "nobody has what is not theirs")
    check(len(m2.of(1, X4)) == 2 and not m2.of(1, X2),
          "productID instead of XID", [p.xid for p in m2.pdus])
    check(not m2.of(2, X4), "X2Only has no X3")
    check([p.payload for p in m2.of(2, X3)] == [poi.rtp_packet(2)] and
          not m2.of(1, X3), "X3Only, from the forward on")
    check(b"X1" not in b"".join(p.raw for p in m2.pdus) and
          not any(X1.replace("-", "") in p.raw.hex() for p in m2.pdus),
          "an agency sees no other's task")
    for x in (X2, X3):
        w.x1("DeactivateTask", f"<xId>{x}</xId>")
    s.wait(1)
    m.pdus.clear()
    m2.pdus.clear()


def stamp(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 10**6)) + \
        ".%06dZ" % (us % 10**6)


def times(w, m, s):
    """The moment of interception decides, to the microsecond."""
    begin = time.time_ns() // 1000 + 1200000
    end = begin + 1200000
    w.x1("ActivateTask", task(X2, ["e164Number:49555"], [D1], times=(
        stamp(begin), stamp(end))))
    check(len(s.targets) == 1, "not sought before its time")
    s.wait(2)
    check(time.time_ns() // 1000 >= begin - 10000,
          "sought from its time on")
    ident, call = s.find("tel:49555")[0], poi.call_id()
    ns = begin * 1000, end * 1000
    s.call(call, [(ident, poi.CALLING)], in_progress=1)
    inside = []
    for i, at in enumerate((ns[0] - 1000, ns[0], ns[1] - 1000, ns[1])):
        s.sip(call, poi.A, poi.RECEIVED, INVITE + bytes([48 + i]), at=at)
        inside.append(INVITE + bytes([48 + i]))
    s.wait(1)
    check(time.time_ns() // 1000 >= end, "not sought after its time")
    # what was copied in time, and comes late; also of a call that does
    s.sip(call, poi.A, poi.RECEIVED, INVITE + b"late", at=ns[1] - 2000)
    s.sip(call, poi.A, poi.RECEIVED, INVITE)
    s.end(call)
    call = poi.call_id()
    s.call(call, [(ident, poi.CALLING)], at=ns[1] - 2000)
    s.sip(call, poi.A, poi.RECEIVED, INVITE + b"later", at=ns[1] - 1000)
    s.sip(call, poi.A, poi.RECEIVED, INVITE, at=ns[1])
    s.end(call)
    inside[3:] = [INVITE + b"late", INVITE + b"later"]
    m.wait(lambda m: len(m.of(1, X2)) == 4)
    check([p.payload for p in m.of(1, X2)] == inside[1:],
          "what was before, and what is after, is not delivered",
          [p.payload[-1:] for p in m.of(1, X2)])
    check(w.audited(lambda r: r["event"] == "task_over", 12),
          "its end is noted")
    w.stop()
    w.start()
    check(X2 in w.x1("ListAllDetails"), "the ADMF still sees it")
    m.pdus.clear()
    s = w.poi()
    s.wait(1)
    check(not s.find("tel:49555"), "it does not come back by a restart")
    w.x1("DeactivateTask", f"<xId>{X2}</xId>")
    return s


def same_everywhere(pdus):
    """A PDU that came twice is the same octet by octet; @return by number"""
    by_seq = {}
    for p in pdus:
        if by_seq.setdefault(p.seq(), p.raw) != p.raw:
            return None
    return by_seq


def outage(w, m, s):
    """Nobody takes delivery: all of it comes afterwards, in order."""
    ident, call = s.find("tel:" + TARGET)[0], poi.call_id()
    up(w, 2, m)
    s.call(call, [(ident, poi.CALLING)])
    for i in range(300):
        s.rtp(call, poi.A, poi.rtp_packet(i))
    m.wait(lambda m: len(m.of(2)) > 50)
    m.kill()
    for i in range(300, 2000):
        s.rtp(call, poi.A, poi.rtp_packet(i))
    check(w.audited(lambda r: r["event"] == "delivery_down"),
          "that they are away is written down")
    check(w.reports.wait(["ReportDestinationIssue", D1,
                          "NonTerminatingFault", "delivery of X3"]),
          "and told")
    check("deliveryFault" in w.x1("GetDestinationDetails",
                                  f"<dId>{D1}</dId>"), "and can be asked")
    for name in os.listdir(w.state):
        if name.startswith("spool-"):
            for seg in os.listdir(os.path.join(w.state, name)):
                with open(os.path.join(w.state, name, seg), "rb") as f:
                    check(bytes([7]) * 40 not in f.read(),
                          "no speech in the spool")
    check(w.stop(signal.SIGKILL) == -9, "killed with all that waits")
    w.start()
    m.start()
    check(m.wait(lambda m: len({p.seq() for p in m.of(2)}) == 2000, 20),
          "every number is there", len({p.seq() for p in m.of(2)}))
    found = same_everywhere(m.of(2))
    check(found is not None, "what came twice is the same")
    check(found and all(found[i][-172:] == poi.rtp_packet(i)
                        for i in range(2000)), "each has its content")
    after = [p.seq() for p in m.of(2)][-1700:]
    check(after == sorted(after), "in order")
    check(w.reports.wait(["ReportDestinationIssue", D1, "AllClear",
                          "delivery of X3"]), "told that it is over")

    # the call goes on with the switch, and after the crash its numbers do
    s = w.poi()
    s.wait(1)
    ident = s.find("tel:" + TARGET)[0]
    s.call(call, [(ident, poi.CALLING)], in_progress=1)
    s.rtp(call, poi.A, poi.rtp_packet(9))
    check(m.wait(lambda m: any(p.payload == poi.rtp_packet(9) and
                               p.seq() >= 2000 for p in m.of(2))),
          "after a crash no number is used again")
    s.lost(call, 3, 10, 20)
    s.rtp(call, poi.A, poi.rtp_packet(10))
    m.wait(lambda m: m.of(2)[-1].payload == poi.rtp_packet(10))
    last = [p.seq() for p in m.of(2)][-2:]
    check(last[1] - last[0] == 31, "what the switch lost is a gap", last)
    check(w.audited(lambda r: r["event"] == "poi_loss" and r["x2"] == 3 and
                    r["x3"] == 30), "and written down")
    check(w.reports.wait(["ReportTaskIssue", X1, "copies were lost"]),
          "and told")

    # the switch comes back with the call: its numbers go on
    s.close()
    s = w.poi()
    s.wait(1)
    s.call(call, [(s.find("tel:" + TARGET)[0], poi.CALLING)], in_progress=1)
    s.rtp(call, poi.A, poi.rtp_packet(11))
    m.wait(lambda m: m.of(2)[-1].payload == poi.rtp_packet(11))
    check(m.of(2)[-1].seq() == last[1] + 2,
          "a new connection: a gap of one number", m.of(2)[-1].seq())
    check(w.audited(lambda r: r["event"] == "poi_loss" and
                    r.get("x2") == 1 and r["x3"] == 1), "and written down")
    # a task that goes and comes in mid-call goes on
    w.x1("DeactivateTask", f"<xId>{X1}</xId>")
    s.wait(0)
    w.x1("ActivateTask", task(X1, [f"e164Number:{TARGET}"], [D1]))
    s.wait(1)
    s.call(call, [(s.find("tel:" + TARGET)[0], poi.CALLING)], in_progress=1)
    s.rtp(call, poi.A, poi.rtp_packet(12))
    m.wait(lambda m: m.of(2)[-1].payload == poi.rtp_packet(12))
    check(m.of(2)[-1].seq() == last[1] + 3, "activated anew, the next number",
          m.of(2)[-1].seq())
    s.end(call)
    m.pdus.clear()
    return s


def of_call(m, call):
    """X3 of one call: those of an earlier one may come again."""
    return [p for p in m.of(2) if p.correlation == call[8:].hex()]


def full(w, m, s):
    """A spool of 1 MiB: what does not fit is one gap, counted and told."""
    ident, call = s.find("tel:" + TARGET)[0], poi.call_id()
    m.wait(lambda m: m.connections >= 2)
    m.kill()
    m.pdus.clear()
    s.call(call, [(ident, poi.CALLING)])
    for i in range(6000):
        s.rtp(call, poi.A, poi.rtp_packet(i))
    check(w.audited(lambda r: r["event"] == "delivery_loss"),
          "a full spool is written down")
    check(w.reports.wait(["ReportDestinationIssue", D1, "loss of X3"]),
          "and told")
    m.start()
    n = 6000
    end = time.time() + 20
    while time.time() < end:
        s.rtp(call, poi.A, poi.rtp_packet(n))
        if m.wait(lambda m: any(p.seq() == n for p in of_call(m, call)), 0.1):
            break
        n += 1
    check(time.time() < end, "it takes again")
    seqs = sorted({p.seq() for p in of_call(m, call)})
    gaps = [(a, b) for a, b in zip(seqs, seqs[1:]) if b != a + 1]
    check(len(gaps) == 1, "one gap", gaps)
    lost = gaps[0][1] - gaps[0][0] - 1
    check(w.audited(lambda r: r["event"] == "delivery_loss_over" and
                    r["lost"] == lost), f"counted to the last: {lost}",
          w.audit("delivery_loss_over"))
    check(same_everywhere(of_call(m, call)) is not None, "nothing means two things")
    s.end(call)
    m.pdus.clear()


def strangers(w, m):
    """Who is no mediation function of ours gets nothing."""
    other = pki.Ca(w.dir, "other-ca")
    fake = mdf.Mdf(w.ca.pem, other.issue("mdf", san="IP:127.0.0.1"))
    elsewhere = mdf.Mdf(w.ca.pem, w.ca.issue("far", san="IP:192.0.2.9"))
    for n, stranger in enumerate((fake, elsewhere)):
        did = D2[:-1] + "ab"[n]
        w.x1("CreateDestination", destination(did, stranger.port))
        check(w.audited(lambda r: r["event"] == "delivery_down" and
                        r["did"] == did and "certificate" in r["why"]),
              "a certificate of %s" % ("another CA", "another host")[n])
        w.x1("RemoveDestination", f"<dId>{did}</dId>")


def losing(w, m, s):
    """That copies are lost is told, and later that they are not any more."""
    call = poi.call_id()
    s.call(call, [(s.find("tel:" + TARGET)[0], poi.CALLING)])
    s.lost(call, 0, 1, 1)
    s.end(call)


def revoked(w, m):
    """Who was ours and is revoked is cut off, and nobody else loses by it."""
    pem = w.ca.issue("mdf-2", san="IP:127.0.0.1")
    other = mdf.Mdf(w.ca.pem, pem)
    w.x1("CreateDestination", destination(D3, other.port))
    up(w, 2, other)
    n = m.connections
    w.ca.revoke(pem[0])
    check(w.audited(lambda r: r["event"] == "delivery_down" and
                    r["did"] == D3 and "certificate" in r["why"]),
          "a connection that was there ends", w.audit("delivery_down")[-2:])
    check(m.wait(lambda m: m.connections >= n + 2), "others come again")
    check(not any(r["did"] == D1 for r in w.audit("delivery_down")[-2:]),
          "and are not told as away")
    w.x1("RemoveDestination", f"<dId>{D3}</dId>")


def flooded(w):
    """Who sends without an end holds up nobody."""
    other = w.mdf()
    other.floods = True
    w.x1("CreateDestination", destination(D3, other.port, "X2Only"))
    up(w, 1, other)
    for _ in range(5):
        began = time.time()
        check("oK" in w.x1("Ping") and time.time() - began < 5,
              "X1 is answered meanwhile", time.time() - began)
    w.x1("RemoveDestination", f"<dId>{D3}</dId>")
    other.floods = False


def keepalives(w, m):
    n = m.keepalives
    check(m.wait(lambda m: m.keepalives >= n + 2, 6), "keepalives come")
    m.answers = False
    n = m.connections
    check(m.wait(lambda m: m.connections >= n + 2, 15),
          "without answers a connection is made anew")
    m.answers = True
    check(w.audited(lambda r: r["event"] == "delivery_down" and
                    "keepalives" in r["why"]), "and that is written down")


def strange_switches(w):
    for what, octets in (("no hello", poi.message(poi.END, bytes(36))),
                         ("rubbish", b"x" * 100),
                         ("a message, and half of one", poi.message(
                             poi.HELLO, b"n".ljust(64, b"\0") + bytes(16))
                          + poi.message(poi.END, bytes(36))[:20]),
                         ("another version", b"\1" + poi.message(
                             poi.HELLO, bytes(80))[1:]),
                         ("a longer length", poi.message(
                             poi.HELLO, bytes(80))[:4] + b"\xff" * 84)):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(w.socket)
        s.settimeout(5)
        s.send(octets)
        while s.recv(70000)[:2] in (b"\2\2", b"\2\3"):
            pass # whoever says hello is told key and targets first
        check(s.recv(100) == b"", what + ": it hangs up")
        s.close()


w = World(**{"delivery.spool_max_mib": 1, "delivery.keepalive_s": 1,
             "delivery.answer_s": 3})
try:
    w.start()
    # an authority that will not have these: all others come all the same
    w.reports.refuses = "ReportTaskIssue"
    m, m2 = w.mdf(), w.mdf()
    s = w.poi()
    s.read()
    one_call(w, m, s)
    who_gets_what(w, m, s, m2)
    s = times(w, m, s)
    s = outage(w, m, s)
    full(w, m, s)
    losing(w, m, s)
    strangers(w, m)
    revoked(w, m)
    flooded(w)
    keepalives(w, m)
    strange_switches(w)
    check(w.reports.wait(["ReportTaskIssue", X1, "AllClear", "9000",
                          "copies were lost"], 20),
          "when nothing is lost any more the task is told so")
    check(w.audited(lambda r: r["event"] == "report_refused" and
                    r["code"] == 1020), "a report that was refused is noted")
    rc, out = w.run("audit", "verify")
    check(rc == 0, "the audit is whole", out)
    check(w.audit("delivery_up") and not any(
        "alarm" in r or "is_up" in r for r in w.audit("delivery_up") +
        w.audit("delivery_down") + w.audit("delivery_loss")),
          "records of the audit are no alarms")
    check(TARGET not in w.logged() and not re.search("4930|5f", w.logged()),
          "the log says nothing", w.logged())
finally:
    w.close()
finish()
