"""The real strowger-li on the socket of a switch, with an authority and a
mediation function that know nothing of its code (tests/e2e/li)."""
import atexit
import collections
import importlib.util
import os
import subprocess
import sys
import time
import uuid

import intercept

HERE = os.path.dirname(os.path.abspath(__file__))
LI = os.path.join(os.path.dirname(HERE), "e2e/li")
WAIT_S = 30.0


def li_world():
    """Its module has the name of one of ours."""
    sys.path.append(LI)
    spec = importlib.util.spec_from_file_location(
        "li_world", os.path.join(LI, "world.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Listener:
    """As intercept.Listener, for what the script asks of it."""

    def __init__(self, path):
        self.module = module = li_world()
        self.authority = sys.modules["authority"]
        self.world = module.World(**{
            "poi.socket": path, "poi.user": '"%d"' % os.getuid()})
        self.world.start()
        atexit.register(self.world.close)
        self.mdf = self.world.mdf()
        self.did = str(uuid.uuid4())
        self.ids, self.xids, self.sought = 0, [], []
        self.ask("CreateDestination",
                 self.authority.destination(self.did, self.mdf.port))

    def end(self):
        """What the program did wrong, ended as it should or not."""
        atexit.unregister(self.world.close)
        self.world.close()
        return ["strowger-li: see 'not ok' above"] \
            if self.module.counts["failed"] else []

    def ask(self, kind, body):
        text = self.world.x1(kind, body)
        if "ErrorResponse" in text:
            raise ValueError(kind + ": " + text)
        return text

    def new_id(self):
        self.ids += 1
        return self.ids

    def seek(self, wanted):
        """Tasks by X1; returns when the switch looks for their targets."""
        for xid in self.xids:
            self.ask("DeactivateTask", "<xId>%s</xId>" % xid)
        self.xids = []
        self.sought = [identity for identity, _ in wanted.values()]
        for identity, _ in wanted.values():
            self.xids.append(str(uuid.uuid4()))
            arm = "e164Number:" + identity[4:] \
                if identity.startswith("tel:") else "sipUri:" + identity
            self.ask("ActivateTask", self.authority.task(
                self.xids[-1], [arm], [self.did]))
        with self.mdf.lock:
            self.mdf.pdus.clear()
        end = time.monotonic() + WAIT_S
        while self.ask("GetAllTaskDetails", "").count(
                ">complete<") != len(wanted):
            if time.monotonic() > end:
                raise TimeoutError("no switch looks for them")
            time.sleep(0.05)
        if not wanted: # nothing says that the switch forgot them
            time.sleep(0.3)

    def secrets(self):
        """What nobody but this program and its authority knows: ids, and who
        is sought by an identity that no call has."""
        ids = [uuid.UUID(u) for u in self.xids + [self.did]]
        hidden = [i for i in self.sought if not i.startswith("tel:")]
        return [i.split(":", 1)[1].encode() for i in hidden] + [
            form for u in ids
            for form in (str(u).encode(), u.hex.encode(), u.bytes)]

    def mediation_gone(self):
        """Nobody takes delivery, and the authority asks for what is
        refused: what fails is not said either."""
        self.mdf.kill()
        text = self.world.x1("ActivateTask", self.authority.task(
            self.xids[0], ["sipUri:" + i for i in self.sought
                           if i.startswith("sip:")], [str(uuid.uuid4())]))
        if "ErrorResponse" not in text:
            raise ValueError("taken: " + text)
        if not self.world.audited(lambda r: r["event"] == "delivery_down"):
            raise TimeoutError("that nobody takes delivery is not noticed")

    def faults(self, messages, packets):
        """What is not delivered as it was on the wire."""
        with self.mdf.lock:
            pdus = list(self.mdf.pdus)
        out = [intercept.compare("X2", messages, [
                   p.payload for p in pdus if p.type == 1]),
               intercept.compare("X3", packets, [
                   p.payload for p in pdus if p.type == 2])]
        for kind in (1, 2):
            numbers = [p.seq() for p in pdus if p.type == kind]
            if numbers != list(range(len(numbers))):
                out.append("numbers of X%d: %s" % (kind + 1, numbers))
        if len({p.correlation for p in pdus}) > 1:
            out.append("more than one correlation")
        return [o for o in out if o]

    def decoded(self):
        """By Debian's decoder. @return (PDUs, malformed, SIP, RTP)"""
        file = os.path.join(self.world.dir, "pdus.pcap")
        with self.mdf.lock:
            self.mdf.pcap(file)
        out = subprocess.run(
            ["/usr/bin/tshark", "-r", file, "-d", "tcp.port==42069,5gli",
             "-T", "fields", "-e", "_ws.malformed", "-e", "sip.CSeq", "-e",
             "rtp.seq"], capture_output=True, text=True, check=True).stdout
        rows = [line.split("\t") for line in out.splitlines()]
        kinds = collections.Counter()
        for malformed, sip, rtp in rows:
            kinds.update(malformed=bool(malformed), sip=bool(sip),
                         rtp=bool(rtp))
        return len(rows), kinds["malformed"], kinds["sip"], kinds["rtp"]
