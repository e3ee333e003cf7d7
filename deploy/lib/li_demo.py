#!/usr/bin/python3
"""Lawful interception in the demo: a test CA and settings (--setup), and one
call of a target as a mediation function has it, read by tshark. Authority and
mediation function are the stand-ins of tests/e2e/li; they know nothing of the
product's code."""
import argparse
import collections
import getpass
import os
import subprocess
import sys
import time
import uuid

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.append(os.path.join(TOP, "tests/e2e/li"))
sys.dont_write_bytecode = True
import authority # noqa: E402
import mdf # noqa: E402
import pki # noqa: E402

SETTINGS = """ne:
  identifier: ne-1
  point: demo
state:
  folder: {li}/state
  key_file: {li}/key
pki:
  certificate: {ca}/ne.pem
  private_key: {ca}/ne.key
  ca: {ca}/ca.pem
  crl: {ca}/crl.pem
poi:
  socket: {state}/li.sock
  user: {user}
x1:
  listen: "127.0.0.1:{x1}"
  admf: admf-1
  report_url: "https://127.0.0.1:{reports}/X1/ADMF"
numbering:
  country: "49"
"""
FIELDS = ("li5g.type", "li5g.pd", "_ws.malformed", "sip.Request-Line",
          "sip.Status-Line", "rtp.seq")
WAYS = {"2": "to the target  ", "3": "from the target"}


class Li:
    """Where everything of interception is in a demo's state folder."""

    def __init__(self, state, base, program):
        self.state, self.base, self.program = state, base, program
        self.folder = os.path.join(state, "li")
        self.ca = os.path.join(self.folder, "intercept-ca")
        self.file = os.path.join(state, "li.yaml")

    def pem(self, name):
        return tuple(os.path.join(self.ca, name + e)
                     for e in (".pem", ".key"))

    def setup(self):
        """Once; certificates are good for 60 days, as the demo is."""
        os.makedirs(os.path.join(self.folder, "state"), 0o700, exist_ok=True)
        os.chmod(self.folder, 0o700)
        if not os.path.exists(os.path.join(self.folder, "key")):
            ca = pki.Ca(self.folder, "intercept-ca")
            ca.issue("ne", san="IP:127.0.0.1")
            ca.issue("admf", uid="admf-1", san="IP:127.0.0.1")
            ca.issue("mdf", san="IP:127.0.0.1")
            subprocess.run([self.program, "key",
                            os.path.join(self.folder, "key")], check=True)
        with open(self.file, "w", encoding="ascii") as f:
            f.write(SETTINGS.format(
                li=self.folder, ca=self.ca, state=self.state,
                user=getpass.getuser(), x1=self.base + 30,
                reports=self.base + 31))

    def begin(self, number):
        """The authority's order: a destination and a task for the number.
        @return (authority, its listener, mediation function, XID, DID)"""
        ca = os.path.join(self.ca, "ca.pem")
        reports = authority.Reports(ca, self.pem("admf"), self.base + 31)
        client = authority.Client(self.base + 30, ca, self.pem("admf"))
        m = mdf.Mdf(ca, self.pem("mdf"), self.base + 32)
        did, xid = str(uuid.uuid4()), str(uuid.uuid4())
        for kind, body in (
                ("CreateDestination", authority.destination(did, m.port)),
                ("ActivateTask", authority.task(
                    xid, ["e164Number:" + number[1:]], [did]))):
            text = client.x1(authority.request(kind, body))
            if "ErrorResponse" in text:
                raise RuntimeError(kind + " was refused: " + text)
        return client, reports, m, xid, did

    def decoded(self, m):
        """By tshark: a dict of FIELDS for each PDU."""
        file = os.path.join(self.folder, "pdus.pcap")
        m.pcap(file)
        out = subprocess.run(
            ["tshark", "-r", file, "-d", "tcp.port==42069,5gli", "-T",
             "fields", *(a for f in FIELDS for a in ("-e", f))],
            capture_output=True, text=True, check=True).stdout
        return [dict(zip(FIELDS, line.split("\t")))
                for line in out.splitlines()]


def settled(m):
    """Until nothing has come for a second."""
    n = -1
    for _ in range(30):
        if n == len(m.pdus) and n:
            return
        n = len(m.pdus)
        time.sleep(1)


def intercepted(li, number, place, talk_s, say, check):
    """The order, the call, and what came of it."""
    say(f"the authority orders: {number}, SIP (X2) and RTP (X3)")
    client, reports, m, xid, did = li.begin(number)
    check(reports.wait([xid, "FullyActionedAndSuccessful"]),
          "the switch looks for it, and the authority was told",
          "no report came in 10 s", "see log/li.log and li/state/alarms")
    check(place(), "a call of the target was answered", "it was not, in 10 s",
          "see agents/*/log")
    settled(m)
    rows = li.decoded(m)
    for row in rows:
        if row["li5g.type"] == "1":
            say(f"  X2 {WAYS.get(row['li5g.pd'], '')} "
                f"{row['sip.Request-Line'] or row['sip.Status-Line']}")
    rtp = collections.Counter(row["li5g.pd"] for row in rows
                              if row["rtp.seq"])
    for way, n in sorted(rtp.items()):
        say(f"  X3 {WAYS.get(way, '')} {n} packets of RTP")
    check(len(rows) == len(m.pdus) and
          not any(row["_ws.malformed"] for row in rows),
          f"tshark reads all {len(rows)} PDUs", f"of {len(m.pdus)}",
          f"tshark -r {li.folder}/pdus.pcap -d tcp.port==42069,5gli -V")
    requests = [row["sip.Request-Line"].split(" ")[0] for row in rows
                if row["sip.Request-Line"]]
    check(requests.count("INVITE") == 2 and requests.count("BYE") == 2,
          "INVITE and BYE of both legs are there, once each", str(requests),
          "see li/state/alarms")
    check(set(rtp) == {"2", "3"} and min(rtp.values()) > talk_s * 50 * 0.8,
          "and the speech of both directions", str(dict(rtp)),
          "see li/state/alarms")
    for kind, body in (("DeactivateTask", f"<xId>{xid}</xId>"),
                       ("RemoveDestination", f"<dId>{did}</dId>")):
        client.x1(authority.request(kind, body))
    audit = subprocess.run([li.program, "-c", li.file, "audit", "verify"],
                           capture_output=True, text=True, check=False)
    check(audit.returncode == 0, "the audit: " + audit.stdout.strip(),
          audit.stderr, "a bug: report it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--setup", action="store_true", required=True)
    parser.add_argument("--state", required=True)
    parser.add_argument("--base", type=int, required=True)
    parser.add_argument("--program", required=True)
    opt = parser.parse_args()
    Li(opt.state, opt.base, opt.program).setup()


if __name__ == "__main__":
    main()
