#!/usr/bin/python3
"""The real switch and the real strowger-li: calls of targets and of others, who
has what of them, and what is left when either is killed."""
import collections
import glob
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TALK = os.path.join(os.path.dirname(os.path.dirname(HERE)), "talk")
DIDS = ["19867c20-8c94-473e-b9cd-8b72b7b05fd" + c for c in "12"]
TARGET = "4930990011"
# a line "stage NAME" tells what was on the wire since the last, and waits
SCRIPT = """test "calls of targets and of others"
trunk A number_in='[{"prefix":"00","strip":2,"add":"+"},{"prefix":"0","strip":1,"add":"+49"},{"prefix":"+"}]'
trunk D static=yes
trunk E static=yes
trunk P digest=md5 number_in='[{"prefix":"0","strip":1,"add":"+49"},{"prefix":"+"}]'
gateway C1
row forward F id=fwd tenant_id=$tenant did_id=$numberIdD condition=busy to_number=+498912345
row forward G id=fwd tenant_id=$tenant did_id=$numberIdE condition=unconditional to_number=+498912399
stage begin

A > INVITE sip:+4930990011@$sw sdp=pcma
C1 < INVITE
C1 > 180
A < 180
C1 > 200 sdp=pcma
C1 < ACK
A < 200
A > ACK
A > same
rtp A C1 20
A > BYE
C1 < BYE
C1 > 200
A < 200 BYE
stage called

A > INVITE sip:$didD@$sw sdp=pcma
D < INVITE
D > 486
C1 < INVITE uri~498912345@
C1 > 200 sdp=pcma
C1 < ACK
A < 181
A < 200
A > ACK
rtp A C1 3
A > BYE
C1 < BYE
C1 > 200
A < 200 BYE
stage forwarded

A > INVITE sip:$didE@$sw sdp=pcma
C1 < INVITE uri~498912399@
C1 > 200 sdp=pcma
C1 < ACK
A < 181
A < 200
A > ACK
rtp A C1 3
A > BYE
C1 < BYE
C1 > 200
A < 200 BYE
stage diverted_at_once

A > INVITE sip:004930990011@$sw sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage international

P > INVITE sip:030990011@md5.example sdp=pcma
P < 401
P > INVITE again auth=$userP:$secret
C1 < INVITE
C1 > 486
P < 486
stage challenged

P > INVITE sip:+4930990011@md5.example sdp=pcma
P > same
P < 401
P > INVITE again auth=$userP:wrong
P < 401
stage attempted

P > INVITE sip:+4930777001@md5.example sdp=pcma
P < 401
stage elsewhere

P > REGISTER sip:md5.example to=<sip:$userP@md5.example> "Contact: <sip:pbx@$P:5060>"
P > same
P < 401
P > REGISTER auth=$userP:$secret "Contact: <sip:pbx@$P:5060>"
P < 200
P > same
P < again 200
stage registered

C1 > INVITE sip:$didP@$sw sdp=pcma
P < INVITE
P > 200 sdp=pcma
P < ACK
C1 < 200
C1 > ACK
rtp C1 P 3
P > BYE
C1 < BYE
C1 > 200
P < 200 BYE
stage named

A > INVITE sip:030990011@$sw sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage national

A > INVITE "sip:+4930990011@$sw;user=phone" sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage phone

A > INVITE tel:+49-30-990011 sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage tel

A > INVITE sip:+4930777001@$sw sdp=pcma "Diversion: <sip:+4930990011@pbx.example>;reason=user-busy"
C1 < INVITE
C1 > 486
A < 486
stage diverted

A > INVITE sip:+4930777001@$sw sdp=pcma "History-Info: <sip:+4930990011@pbx.example>;index=1,<sip:+4930777001@pbx.example;cause=486>;index=1.1;mp=1"
C1 < INVITE
C1 > 486
A < 486
stage history

A > INVITE sip:+4930777001@$sw sdp=pcma "P-Asserted-Identity: <sip:+4930990011@pbx.example>"
C1 < INVITE
C1 > 486
A < 486
stage asserted

A > INVITE sip:+493099001@$sw sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage shorter

A > INVITE sip:+49309900111@$sw sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage longer

A > INVITE sip:+49893099001@$sw sdp=pcma
C1 < INVITE
C1 > 486
A < 486
stage within

D > INVITE sip:+493055555@$sw sdp=pcma
C1 < INVITE
C1 > 200 sdp=pcma
C1 < ACK
D < 200
D > ACK
rtp D C1 3
D > BYE
C1 < BYE
C1 > 200
D < 200 BYE
stage calling

A > INVITE sip:+4930990011@$sw sdp=pcma
C1 < INVITE
C1 > 200 sdp=pcma
C1 < ACK
A < 200
A > ACK
rtp A C1 20
stage up
rtp A C1 20
stage again
CALL 3 20
stage hung
CALL 4 10
stage gone
CALL 5 10
stage refused
node kill
node start
stage restarted

CALL 2 3
stage afterwards
"""
# CALL N PACKETS: a whole one
CALL = """A.%s > INVITE sip:+4930990011@$sw sdp=pcma
C1.%s < INVITE
C1.%s > 200 sdp=pcma
C1.%s < ACK
A.%s < 200
A.%s > ACK
rtp A.%s C1.%s PACKETS
A.%s > BYE
C1.%s < BYE
C1.%s > 200
A.%s < 200 BYE
"""


def play(folder, li_socket, user):
    """In a process of its own: both sides have a module `world`."""
    sys.path.insert(0, TALK)
    import node as nodes
    import runpy
    import script as scripts
    import world

    class Run(scripts.Run):
        def do_stage(self, words):
            self.stage.pump(0.2)
            peers = self.stage.peers.values()
            print(json.dumps({
                "stage": words[0],
                "sip": {p.name: [data.hex() for _, data in
                                 dict.fromkeys(p.wire)] for p in peers},
                "rtp": [d.hex() for p in peers for d in p.streamed],
                "d": self.variables["digitsD"],
                "p": self.variables["userP"]}), flush=True)
            for p in peers:
                p.wire.clear()
                p.streamed.clear()
            sys.stdin.readline()

    run = runpy.run_path(os.path.join(TALK, "run"))
    net, _lock = run["claim_net"]()
    path = os.path.join(folder, "whole.talk")
    with open(path, "w", encoding="ascii") as f:
        f.write(re.sub(r"CALL (.) (\d+)\n", lambda m: CALL.replace(
            "%s", m.group(1)).replace("PACKETS", m.group(2)), SCRIPT))
    script = scripts.Script(path, 1, net)
    database = nodes.Database(os.path.join(folder, "pg"))
    database.start()
    switch = None
    try:
        database.run(world.SHARED + script.world.sql())
        switch = nodes.Node("whole", 1, os.path.join(folder, "node"),
                            net + ".255.1", database)
        with open(switch.config, "a", encoding="ascii") as f:
            f.write('intercept:\n  socket: "%s"\n  user: "%s"\n' % (
                li_socket, user))
        switch.start()
        switch.wait_catalog()
        print(json.dumps({"stage": "end", "why": Run(script, switch).play()}),
              flush=True)
    finally:
        if switch:
            switch.stop()
        subprocess.run(["sh", nodes.CLUSTER, "stop", database.folder],
                       check=False)


def same(check, what, wanted, got):
    wanted, got = collections.Counter(wanted), collections.Counter(got)
    check(wanted == got, what, (list((wanted - got).elements())[:2],
                                list((got - wanted).elements())[:2]))


class Talk:
    """The script on its way; next() lets it go on to its next stage."""

    def __init__(self, w):
        folder = os.path.join(w.dir, "talk")
        os.mkdir(folder)
        os.chmod(w.dir, 0o755)
        os.chmod(folder, 0o755)
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "play", folder,
             w.socket, str(os.getuid())], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.stages = {}

    def next(self, name):
        if self.stages:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        if told["stage"] != name:
            raise RuntimeError(f"{told['stage']}, not {name}: "
                               f"{told.get('why')}")
        told["wire"] = sum(told.get("sip", {}).values(), [])
        self.stages[name] = told
        return told


class Order:
    """A task of one agency, and what it has to get."""

    def __init__(self, n, agency, target, products, form=None):
        self.xid = "29f28e1c-f230-486a-a860-f5a784ab917%x" % n
        self.agency, self.target, self.products = agency, target, products
        self.form = form or f"e164Number:{target}"
        self.sip, self.rtp = [], []

    def gets(self, stage, sip=None):
        if self.products != "X3Only":
            self.sip += stage["wire"] if sip is None else sip
        if self.products != "X2Only":
            self.rtp += stage["rtp"]


def in_force(w, orders):
    """Until the switch looks for all of them."""
    end = time.time() + 20
    while time.time() < end:
        if w.x1("GetAllTaskDetails").count(">complete<") == len(orders):
            return True
        time.sleep(0.05)
    return False


def calls(w, talk, agencies, orders):
    """Who is sought as caller, called and forwarding, in every form of a
    number, and numbers that are nearly theirs."""
    from authority import destination, task
    from world import check
    for did, m in zip(DIDS, agencies):
        w.x1("CreateDestination", destination(did, m.port))
    for o in orders.values():
        text = w.x1("ActivateTask", task(o.xid, [o.form], [DIDS[o.agency]],
                                         o.products))
        check("ErrorResponse" not in text, "it is taken", text)
    check(in_force(w, orders), "the switch looks for all", w.logged())

    orders["called"].gets(talk.next("called"))
    stage = talk.next("forwarded")
    for name in ("first", "second, messages", "second, speech"):
        orders[name].gets(stage)
    # from where that number comes in: the INVITE to it
    forwarded = orders["forwarded to"]
    forwarded.rtp += stage["rtp"]
    forwarded.sip += stage["sip"]["C1"]
    # nobody was called before: from its beginning
    orders["sent on"].gets(talk.next("diverted_at_once"))
    orders["called"].gets(talk.next("international"))
    # what was said before the credentials, and what came to no call
    for name in ("challenged", "attempted"):
        stage = talk.next(name)
        orders["called"].gets(stage)
        orders["registered"].gets(stage)
    talk.next("elsewhere")
    # who is known by its registration, and to whom it is called
    orders["registered"].gets(talk.next("registered"))
    orders["registered"].gets(talk.next("named"))
    for name in ("national", "phone", "tel", "diverted", "history",
                 "asserted"):
        orders["called"].gets(talk.next(name))
    orders["shorter"].gets(talk.next("shorter"))
    talk.next("longer")
    talk.next("within")
    stage = talk.next("calling")
    for name in ("first", "second, messages", "second, speech"):
        orders[name].gets(stage)


def matrix(agencies, orders):
    """Each order has what it has to have, and nothing else."""
    from world import check
    for name, o in orders.items():
        m = agencies[o.agency]
        m.wait(lambda m, o=o: len(m.of(1, o.xid)) >= len(o.sip) and
               len(m.of(2, o.xid)) >= len(o.rtp))
    check([name for name, o in orders.items() if not o.sip + o.rtp] ==
          ["another country"], "all others take part in a call")
    for name, o in orders.items():
        m = agencies[o.agency]
        sip = [p.payload.hex() for p in m.of(1, o.xid)]
        if name == "forwarded to":
            check(sip, "the one it is forwarded to is sought, too")
            sip = [x for x in sip if x in o.sip]
        same(check, f"{name}: each message of its calls, no other", o.sip,
             sip)
        same(check, f"{name}: each packet of its calls, no other", o.rtp,
             [p.payload.hex() for p in m.of(2, o.xid)])
    for agency, m in enumerate(agencies):
        own = {o.xid.replace("-", "") for o in orders.values()
               if o.agency == agency}
        other = [o.xid.replace("-", "") for o in orders.values()
                 if o.agency != agency]
        check({p.xid for p in m.pdus} <= own, "an agency's own tasks only")
        check(not any(x in p.raw[:p.header_len].hex() for p in m.pdus
                      for x in other), "no sign of the other's")
        targets = {o.form.split(":", 1)[1] for o in orders.values()
                   if o.agency == agency}
        check(all(any(t in p.attribute(17).decode() for t in targets)
                  for p in m.pdus), "the target as that agency gave it")


def rows(m, o, stage):
    """Each stage's messages have one correlation, and numbers without a gap."""
    from world import check
    pdus = [p for p in m.of(1, o.xid) if p.payload.hex() in stage["wire"]]
    check(len({p.correlation for p in pdus}) == 1,
          f"{stage['stage']}: one correlation")
    check([p.seq() for p in pdus] == list(range(len(pdus))),
          f"{stage['stage']}: numbered in one row", [p.seq() for p in pdus])


def unequal(pdus):
    """Numbers under which two things came."""
    seen = {}
    return [p.seq() for p in pdus if seen.setdefault(
        (p.xid, p.correlation, p.type, p.seq()), p.raw) != p.raw]


def packets_since(m, o, n):
    return [p.payload.hex() for p in m.of(2, o.xid)[n:]]


def no_call_minds(w, talk, m, o):
    """strowger-li hangs, is gone, and somebody else is there who hangs up:
    calls of the target begin, talk and end as ever."""
    from world import check
    had = len(m.of(2, o.xid))
    w.process.send_signal(signal.SIGSTOP)
    stage = talk.next("hung")
    w.process.send_signal(signal.SIGCONT)
    wanted = set(stage["rtp"])
    check(m.wait(lambda m: wanted <= set(packets_since(m, o, had))),
          "what was said while it hung comes", (
              len(wanted & set(packets_since(m, o, had))), len(wanted)))
    w.stop(signal.SIGKILL)
    talk.next("gone")
    os.unlink(w.socket)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.bind(w.socket)
        other.listen(4)
        hung_up = threading.Thread(target=hang_up, args=(other,))
        hung_up.start()
        talk.next("refused")
        other.shutdown(socket.SHUT_RDWR)
        hung_up.join()
    os.unlink(w.socket)


def hang_up(listening):
    while True:
        try:
            listening.accept()[0].close()
        except OSError:
            return


def crashes(w, talk, m, orders):
    """kill -9 of strowger-li in mid-call, then of the switch."""
    from world import check
    o = orders["called"]
    had = len(m.of(2, o.xid))
    stage = talk.next("up")
    check(m.wait(lambda m: len(m.of(2, o.xid)) >= had + len(stage["rtp"])),
          "a call is copied")
    check(w.stop(signal.SIGKILL) == -9, "strowger-li is killed")
    w.start()
    check(in_force(w, orders), "tasks stay, and are sought again")
    stage = talk.next("again")
    last = set(stage["rtp"])
    check(m.wait(lambda m: last <= set(packets_since(m, o, had))),
          "the call that is up is copied again", (
              len(last & set(packets_since(m, o, had))), len(last)))
    no_call_minds(w, talk, m, o)
    w.start()
    check(in_force(w, orders), "and sought once more")

    stage = talk.next("restarted")
    check(any(a["alarm"] == "poi_away" and a["is_up"] for a in w.alarms()),
          "an alarm: no switch", w.alarms())
    check(in_force(w, orders), "the switch that comes back seeks them")
    had = len(m.of(2, o.xid))
    stage = talk.next("afterwards")
    check(m.wait(lambda m: len(m.of(2, o.xid)) >= had + len(stage["rtp"])),
          "its calls are copied")
    same(check, "whole", stage["rtp"], packets_since(m, o, had))
    check(not unequal(m.pdus), "no number means two things",
          unequal(m.pdus))


def store_gone(w):
    """The authority hears that tasks were lost."""
    from world import check
    w.stop(signal.SIGKILL)
    for file in glob.glob(os.path.join(w.state, "li.db*")):
        os.unlink(file)
    w.start()
    check(w.reports.wait(["ReportNEIssue", "Alert", "10000"]),
          "lost tasks are an alert", w.reports.bodies[-3:])
    check(any(a["alarm"] == "store_lost" for a in w.alarms()),
          "and an alarm", w.alarms())
    check("<xId>" not in w.x1("ListAllDetails"), "nothing is left of them")


def main():
    from world import World, check, finish

    w = World()
    w.filter()
    agencies = [w.mdf(), w.mdf()]
    w.start()
    talk = Talk(w)
    begin = talk.next("begin")
    d = begin["d"]
    orders = {
        "called": Order(1, 0, TARGET, "X2andX3"),
        "first": Order(2, 0, d, "X2andX3"),
        "second, messages": Order(
            3, 1, d, "X2Only", f"telUri:tel:0{d[2:5]}-{d[5:]}"
            ";phone-context=+49"),
        "second, speech": Order(
            4, 1, d, "X3Only", f"sipUri:sip:00{d}@b.example;user=phone"),
        "forwarded to": Order(5, 0, "498912345", "X2andX3"),
        "sent on": Order(9, 0, "498912399", "X2andX3"),
        "shorter": Order(6, 1, TARGET[:-1], "X2andX3"),
        "registered": Order(
            8, 1, None, "X2andX3", f"sipUri:sip:{begin['p']}@md5.example"),
        "another country": Order(7, 1, "1" + TARGET, "X2andX3"),
    }
    calls(w, talk, agencies, orders)
    matrix(agencies, orders)
    for name in ("called", "challenged", "attempted"):
        rows(agencies[0], orders["called"], talk.stages[name])
    rows(agencies[0], orders["sent on"], talk.stages["diverted_at_once"])
    for name in ("challenged", "attempted", "registered", "named"):
        rows(agencies[1], orders["registered"], talk.stages[name])
    crashes(w, talk, agencies[0], orders)
    talk.next("end")
    check(talk.stages["end"]["why"] is None, "the calls are as they should be",
          talk.stages["end"]["why"])
    check(talk.process.wait(60) == 0, "the switch ends as it should")
    store_gone(w)
    w.close()
    finish()


if __name__ == "__main__":
    play(*sys.argv[2:]) if sys.argv[1:2] == ["play"] else main()
