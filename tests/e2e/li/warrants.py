#!/usr/bin/python3
"""Warrants over REST: for intercept officers only, approved by a second one,
in force from the first second to the last."""
import json
import time

import authority
import poi
from world import World, check, finish


def moment(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def warrant(destinations, begin=-60, end=3600, **other):
    now = time.time()
    w = {"reference": "AZ 12/34", "authority": "Amtsgericht Musterstadt",
         "valid_from": moment(now + begin), "valid_until": moment(now + end),
         "targets": ["030 990022", "sip:carol@example.net"],
         "products": ["x2", "x3"], "destinations": destinations}
    w.update(other)
    return w


def who(w, alice):
    admf = authority.Client(w.port, w.ca.pem, w.admf)
    check(admf.rest("GET", "/v1/warrants")[0] == 403, "an ADMF is no officer")
    check("TopLevelError" not in alice.x1(authority.request("Ping")) and
          "<errorCode>1030<" in alice.x1(authority.request("Ping")),
          "an officer is no ADMF")
    none = authority.Client(w.port, w.ca.pem, None)
    try:
        none.rest("GET", "/v1/warrants")
        check(False, "without a certificate")
    except OSError:
        check(True, "without a certificate")
    check(w.audited(lambda r: r["event"] == "rest" and r["status"] == 403),
          "a refusal is written down")
    for path in ("/v1/%ff%fe", "/v1/" + 20000 * "x"):
        n = len(w.audit("rest"))
        check(admf.rest("GET", path)[0] == 403, "whatever it asks for")
        check(len(w.audit("rest")) == n + 1 and
              w.audit("rest")[-1].get("certificate"), "with who it was",
              w.audit("rest")[n:])


def bodies(alice, d):
    for what, body, want in (
            ("no JSON", None, 400), ("a list", [], 422),
            ("a member too many", warrant([d], colour="red"), 422),
            ("no reference", warrant([d], reference=""), 422),
            ("no authority", {k: v for k, v in warrant([d]).items()
                              if k != "authority"}, 422),
            ("an end before the begin", warrant([d], end=-120), 422),
            ("a time that is over", warrant([d], begin=-120, end=-60), 422),
            ("half seconds", warrant(
                [d], valid_until="2036-01-01T00:00:00.5Z"), 422),
            ("no targets", warrant([d], targets=[]), 422),
            ("a target that is none", warrant([d], targets=["hello"]), 422),
            ("a number of 16 digits", warrant(
                [d], targets=["+4930123456789012"]), 422),
            ("a target that is XML", warrant(
                [d], targets=["sip:<x/>@example.net"]), 422),
            ("no products", warrant([d], products=[]), 422),
            ("another product", warrant([d], products=["x4"]), 422),
            ("no destination", warrant([]), 422),
            ("an unknown destination", warrant(
                ["00000000-0000-0000-0000-000000000000"]), 422)):
        status, answer = alice.rest("POST", "/v1/warrants", body)
        check(status == want and answer["error"], what, (status, answer))
    check(alice.ask("/v1/warrants", '{"a":1,"a":2}')[0] == 400,
          "a member twice")
    check(alice.ask("/v1/warrants", "[" * 70000)[0] == 400, "deep and long")
    for path in ("/v1/warrants/1", "/v1/other", "/v1/warrantsx",
                 "/v1/warrants/00000000-0000-0000-0000-000000000000"):
        check(alice.rest("GET", path)[0] == 404, path)
    check(alice.rest("PATCH", "/v1/warrants")[0] == 405, "PATCH")


def approve(officer, path, revision=None):
    """What the officer sees, or a revision that was seen before."""
    if revision is None:
        revision = officer.rest("GET", path)[1]["revision"]
    return officer.rest("POST", path + "/approve", {"revision": revision})


def two_persons(w, alice, bob, d, s):
    status, a = alice.rest("POST", "/v1/warrants", warrant([d]))
    check(status == 201 and a["state"] == "proposed" and
          a["proposed_by"] == "alice", "proposed", a)
    path = "/v1/warrants/" + a["id"]
    check(approve(alice, path)[0] == 403, "nobody approves their own")
    # what bob has looked at is not what alice makes of it meanwhile
    seen = bob.rest("GET", path)[1]["revision"]
    alice.rest("PUT", path, warrant([d], targets=["+4930111111"]))
    check(approve(bob, path, seen)[0] == 409, "it was changed meanwhile")
    alice.rest("PUT", path, warrant([d]))
    check(approve(bob, path, seen)[0] == 409, "also when it was changed back")
    for body in (None, {}, {"revision": "0"}, {"revision": 2, "more": 1}, []):
        check(bob.rest("POST", path + "/approve", body)[0] in (400, 422),
              "what is approved has to be said", body)
    check(not s.targets, "not in force before")
    status, b = approve(bob, path)
    check(status == 200 and b["state"] == "in_force" and
          b["approved_by"] == "bob", "approved by another", b)
    s.wait(2)
    check(s.find("tel:4930990022") and s.find("sip:carol@example.net"),
          "the national form of the number is sought")
    check(approve(bob, path)[0] == 409, "twice")
    status, listed = bob.rest("GET", "/v1/warrants")
    check([x["id"] for x in listed["data"]] == [a["id"]], "listed")
    check(a["id"] not in w.x1("ListAllDetails"), "the ADMF does not see it")
    check("2020" in w.x1("DeactivateTask", f"<xId>{a['id']}</xId>"),
          "nor can it end it")
    check(alice.rest("DELETE", "/v1/destinations/" + d)[0] == 409,
          "a destination in use")
    w.stop()
    w.start()
    check(bob.rest("GET", path)[1] == b, "the same after a restart")
    s = w.poi()
    s.wait(2)
    status, c = alice.rest("PUT", path, warrant([d], targets=["+4930990022"],
                                                products=["x2"]))
    check(status == 200 and c["state"] == "proposed",
          "a change has to be approved again", c)
    s.wait(0)
    check(approve(bob, path)[0] == 200, "and is")
    s.wait(1)
    check(s.find("tel:4930990022")[1] == 1, "X2 only now")
    return path, s


def delivered(w, path, m, s):
    ident, call = s.find("tel:4930990022")[0], poi.call_id()
    s.call(call, [(ident, poi.CALLED)])
    s.sip(call, poi.A, poi.RECEIVED, b"INVITE x SIP/2.0\r\n\r\n")
    s.end(call)
    check(m.wait(lambda m: len(m.of(1, path.split("/")[-1])) == 1),
          "delivered")


def to_the_second(w, alice, bob, d, s):
    begin = int(time.time()) + 2
    end = begin + 2
    body = warrant([d], targets=["+49777"])
    body.update(valid_from=moment(begin), valid_until=moment(end))
    a = alice.rest("POST", "/v1/warrants", body)[1]
    path = "/v1/warrants/" + a["id"]
    check(approve(bob, path)[1]["state"] == "waiting",
          "waiting for its time")
    s.wait(2)
    check(begin <= time.time() < begin + 1, "from its first second on",
          time.time() - begin)
    s.wait(1)
    check(end <= time.time() < end + 1, "to its last", time.time() - end)
    check(bob.rest("GET", path)[1]["state"] == "ended", "ended")
    w.stop()
    w.start()
    s = w.poi()
    s.wait(1)
    check(bob.rest("GET", path)[1]["state"] == "ended",
          "it does not come back")
    return path, s


w = World(**{"rest.officers": '"alice bob"', "rest.two_persons": "true"})
try:
    alice = authority.Client(w.port, w.ca.pem,
                             w.ca.issue("alice", uid="alice"))
    bob = authority.Client(w.port, w.ca.pem, w.ca.issue("bob", uid="bob"))
    w.start()
    m, s = w.mdf(), w.poi()
    s.read()
    who(w, alice)
    check(alice.rest("POST", "/v1/destinations", {
        "address": "nowhere", "products": ["x2"]})[0] == 422, "no address")
    status, d = alice.rest("POST", "/v1/destinations", {
        "address": f"127.0.0.1:{m.port}", "products": ["x2", "x3"]})
    check(status == 201, "a destination", d)
    status, far = alice.rest("POST", "/v1/destinations", {
        "address": "[2001:db8::1]:9000", "products": ["x2"]})
    check(status == 201 and far["address"] == "[2001:db8::1]:9000",
          "one with IPv6", far)
    check(alice.rest("POST", "/v1/warrants", warrant([far["id"]]))[0] == 422,
          "X3 to one that takes X2 only")
    check(bob.rest("DELETE", "/v1/destinations/" + far["id"])[0] == 204,
          "a destination is removed")
    bodies(alice, d["id"])
    path, s = two_persons(w, alice, bob, d["id"], s)
    delivered(w, path, m, s)
    other, s = to_the_second(w, alice, bob, d["id"], s)
    for p in (path, other, "/v1/destinations/" + d["id"]):
        check(alice.rest("DELETE", p)[0] == 204, "removed: " + p)
        check(alice.rest("GET", p)[0] == 404, "gone: " + p)
    acts = w.audit("rest")
    check(any(r["officer"] == "bob" and r["path"].endswith("/approve") and
              r["status"] == 200 for r in acts), "who approved is written")
    n = len(acts)
    alice.rest("GET", "/v1/warrants")
    check(len(w.audit("rest")) == n + 1, "one record for one act")
    check(w.run("audit", "verify")[0] == 0, "the audit is whole")
    check("990022" not in json.dumps(w.alarms()) + w.logged(),
          "neither alarms nor the log name a target")
finally:
    w.close()
finish()
