#!/usr/bin/env python3
"""A switch's control socket with one live call, for tests of the API alone."""
import json
import os
import pathlib
import socketserver
import sys

TENANT, TRUNK, GATEWAY = (k + "x" * 26 for k in ("ten_", "trk_", "gwy_"))


def call(n, minute):
    return {
        "call_id": f"06e8b1d2-7c3a-7d4e-8f50-123456789a{n}", "state": "UP",
        "calling": "+4930123450", "called": "+442079460000",
        "tenant": TENANT, "trunk": TRUNK, "gateway": GATEWAY, "node": "n1",
        "started_at": f"2026-11-22T10:{minute}:00.000Z",
        "answered_at": f"2026-11-22T10:{minute}:04.000Z",
        "duration_ms": 1000 * int(minute), "price_micro": 13200,
        "currency": "EUR", "codec": "PCMA/8000",
    }


def registration(n):
    return {
        "serial": n, "node": "n1", "tenant": TENANT, "trunk": TRUNK,
        "username": "pbx-berlin", "realm": "sip.example.net",
        "contact": f"sip:pbx-berlin@192.0.2.{n}:5060",
        "received": "198.51.100.9:5060", "user_agent": "PBX 7", "q": 1000,
        "expires_at": f"2026-11-22T10:4{n % 10}:00.000Z",
    }


CALL = call("bc", 31)
bound = [registration(n) for n in range(7, 12)]
# not empty: gateways are locked for their ASR; tests write it, too
LOCKS = pathlib.Path(os.environ["API_STUB_LOCKS"])
live = {c["call_id"]: c for c in [CALL, call("b0", 29), call("bd", 33),
                                  call("be", 40)]}
DECISION = [
    {"step": "identity", "outcome": "ok", "id": "trk_x", "by": "address"},
    {"step": "candidate", "id": "gwy_x", "carrier_id": "car_x", "place": 1},
    {"step": "inbound", "outcome": "ok", "id": "did_x", "gateway": "gwy_x",
     "cost_micro": 5},
    {"step": "limit", "outcome": "ok", "id": "gwy_x", "level": "gateway"},
    {"step": "limit", "outcome": "ok", "id": "trk_x", "level": "trunk"},
]


def page(question, rows, key, kind):
    """As the switch does it: smallest.h."""
    rows = [r for r in rows if all(
        question.get(k, r[k]) == r[k] for k in ("trunk", "tenant"))]
    newest = question.get("newest_first", False)
    rows.sort(key=lambda r: r[key], reverse=newest)
    after = type(rows[0][key])(question["after"]) \
        if rows and "after" in question else None
    behind = [r for r in rows if after is None or
              (r[key] < after if newest else r[key] > after)]
    limit = question.get("limit", 1000)
    return {"ok": True, "total": len(rows), kind: behind[:limit],
            "has_more": len(behind) > limit}


def answer(question):
    if question["op"] == "status":
        return {"ok": True, "node": "n1", "gateways": []}
    if question["op"] == "calls":
        one = question.get("call")
        return page(question, [c for c in live.values()
                               if one in (None, c["call_id"])], "call_id",
                    "calls")
    if question["op"] == "trace" and question["call"] in live:
        return {"ok": True, "call": live[question["call"]],
                "decision": DECISION}
    if question["op"] == "route_test":
        if question["to"] == "#":
            return {"ok": False, "code": "bad_route_test", "detail": "to"}
        if question["from"] == "prepaid":
            # the account's id comes as the name, what it has goes back
            has = question.get("ledger", {}).get(question["display"])
            return {"ok": True, "outcome": "ok", "decision": [
                {"step": "funds", "id": question["display"],
                 "from": "ledger"} if has is None else
                {"step": "funds", "from": "test", "has": has}]}
        return {"ok": True, "outcome": "ok", "invite": "INVITE",
                "decision": DECISION}
    if question["op"] == "limits":
        return {"ok": True, "node": "n1", "level": "trunk",
                "id": question["id"],
                "limits": {"mode": "paired", "in": None, "out": None,
                           "total": 2, "cps": 2, "bandwidth_kbps": None,
                           "burst_percent": 0, "action": "reject"},
                "used_in": 0, "used_out": 1, "used_total": 1,
                "used_kbps": 80, "peak_in": 1, "peak_out": 2,
                "peak_total": 3, "refused": 4, "marked": 0,
                "holders": [{"call_id": CALL["call_id"], "direction": "out",
                             "since": CALL["started_at"],
                             "calling": CALL["calling"],
                             "called": CALL["called"],
                             "bandwidth_kbps": 80}], "has_more": False}
    if question["op"] in ("quality", "quality_unlock"):
        if question["op"] == "quality_unlock":
            LOCKS.write_text("", encoding="utf-8")
        is_locked = LOCKS.exists() and bool(LOCKS.read_text("utf-8"))
        return {"ok": True, "gateway": question["gateway"], "node": "n1",
                "state": "locked" if is_locked else "open",
                "reason": "asr" if is_locked else None,
                "since": CALL["started_at"],
                "until": CALL["answered_at"] if is_locked else None,
                "trials_left": 0, "trials_due": 0, "window_s": 900,
                "min_samples": 50, "has_enough": is_locked,
                "attempts": 80 * is_locked, "answered": 20 * is_locked,
                "ended": 0, "short_calls": 0,
                "asr": 25 if is_locked else None, "acd_s": None,
                "pdd_ms": None, "short_percent": None}
    if question["op"] == "drop" and live.pop(question["call"], None):
        return {"ok": True}
    if question["op"] == "registrations":
        return page(question, bound, "serial", "registrations")
    if question["op"] == "unregister":
        gone = [r for r in bound if all(
            question[k] == r[k] for k in ("trunk", "username", "contact"))]
        bound[:] = [r for r in bound if r not in gone]
        return {"ok": True} if gone else {
            "ok": False, "code": "no_such_registration", "detail": "no"}
    if question["op"] == "number_rules" and question["subject"] == "name":
        return {"ok": True, "rule_set_id": None, "rule": 0, "matched": True,
                "result": question["value"] or question["number"],
                "is_e164": False}
    if question["op"] == "number_rules":
        return {"ok": True, "rule_set_id": None, "rule": 1, "matched": True,
                "result": "+4930123450", "is_e164": True}
    return {"ok": False, "code": "no_such_call", "detail": "not here"}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        if line:
            reply = json.dumps(answer(json.loads(line)))
            self.wfile.write(reply.encode() + b"\n")


socketserver.UnixStreamServer(sys.argv[1], Handler).serve_forever()
