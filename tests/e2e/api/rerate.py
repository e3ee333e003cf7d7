#!/usr/bin/env python3
"""Calls rated again over REST: compared by a job that posts nothing, the
difference by pages and as a file, posted by another job, once; what is invoiced
keeps its price. Uses the same environment as contract.py."""
import csv
import io
import sys

from contract import KEY, READ_KEY, Tally, call
from contract import psql as sql
from rate_sheet import ends

JSON = "application/json"
check = Tally.check
TENANT = "ten_" + "y" * 26
CALLS = 5


def post(path, body=None, status=202, headers=None):
    answer = call("post", path, body, JSON if body is not None else None, KEY,
                  headers=headers or {})
    check(answer.status == status,
          f"POST {path}: {answer.status} {answer.data[:300]!r}")
    return answer


def make(path, body):
    return post(path, body, 201).json()["id"]


def get(path):
    answer = call("get", path)
    check(answer.status == 200, f"GET {path}: {answer.status}")
    return answer.json()


def rate(deck, price):
    answer = call("put", f"/v1/rate-decks/{deck}/rates", [
        {"prefix": "49", "destination": "Germany", "rate_per_min": price,
         "initial_ms": 60000, "increment_ms": 1000,
         "effective_from": "2026-01-01T00:00:00Z"}], JSON,
        headers={"If-Match": "*"})
    check(answer.status == 200, f"rates: {answer.data[:300]!r}")


def call_rated(account, trunk, deck, n):
    """A call as a switch and its loader would have left it."""
    price = (f"rating.price(rating.find('{deck}', '4930111', '49', at), "
             f"'{account}', null, at, 14400000)")
    key = f"00000000-0000-7000-8000-00000000a{n:03}"
    sql(f"""do $$ declare at timestamptz := '2026-04-10Z'::timestamptz
            + {n} * interval '1 hour'; begin
        insert into cdr.record (started_at, call_id, attempt, tenant_id,
            account_id, trunk_id, calling, called, answered_at, duration_ms,
            outcome) values (at, '{key}', 0, '{TENANT}', '{account}',
            '{trunk}', '+4930111', '+49401000', at, 60000, 'ok');
        insert into cdr.charge (started_at, call_id, attempt, side,
            account_id, amount_micro, currency, deck_id, prefix, destination,
            net_micro, tax_micro, billed_ms, price)
        select at, '{key}', 0, 'sell', '{account}', r.gross_micro, 'EUR',
            '{deck}', '49', 'Germany', r.net_micro, r.tax_micro, r.billed_ms,
            p from {price} p, rating.parts(p, 60000) r;
        perform core.post('{account}', 'usage', -30000, null, '{key}', 0);
        end $$""")


def world():
    account = make("/v1/accounts", {
        "tenant_id": TENANT, "name": "Rated again", "type": "postpaid",
        "currency": "EUR", "credit_limit": "1000"})
    deck = make("/v1/rate-decks", {"name": "Again", "currency": "EUR"})
    trunk = make("/v1/trunks", {
        "tenant_id": TENANT, "account_id": account, "name": "Again",
        "rate_deck_id": deck})
    rate(deck, "0.03")
    sql("select cdr.ensure_partitions('2026-04-01', '2026-05-01')")
    for n in range(CALLS):
        call_rated(account, trunk, deck, n)
    return account, trunk, deck


def compare(account, **more):
    job = ends(post("/v1/rerates", {
        "from": "2026-04-01T00:00:00Z", "to": "2026-05-01T00:00:00Z",
        "account_id": account, **more}))
    check(job["status"] == "done", f"compared: {job}")
    return job, "/v1/rerates/" + job["args"]["rerate_id"]


def apply(path):
    job = ends(post(path + "/apply"))
    check(job["status"] == "done", f"applied: {job}")
    return job


def balance(account):
    return get("/v1/accounts/" + account)["balance"]


def pages(path):
    rows, cursor = [], ""
    while True:
        page = get(f"{path}limit=2{cursor}")
        rows += page["data"]
        if not page["has_more"]:
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def the_same(account):
    job, path = compare(account)
    check(job["progress"] == {"done": 1, "total": 1} and job["result"] == {
        "rerate_id": path[-30:], "accounts": 1, "calls": CALLS, "failed": 0},
        f"{job}")
    row = get(path)
    check(row["status"] == "ready" and row["totals"] == [{
        "what": "same", "currency": "EUR", "calls": CALLS, "old": "0.150000",
        "new": "0.150000", "delta": "0.000000"}], f"the same tariff: {row}")
    before = balance(account)
    check(apply(path)["result"]["calls"] == 0 and balance(account) == before,
          "is a difference of zero")


def the_difference(account, trunk, deck):
    rate(deck, "0.05")
    _, path = compare(account, trunk_id=trunk, called_prefix="49")
    check(get(path)["totals"] == [{
        "what": "changed", "currency": "EUR", "calls": CALLS, "old": "0.150000",
        "new": "0.250000", "delta": "0.100000"}], f"{get(path)['totals']}")
    rows = pages(path + "/calls?what=changed&")
    check([r["n"] for r in rows] == sorted(r["n"] for r in rows) and
          [(r["old"], r["new"], r["delta"]) for r in rows] ==
          [("0.030000", "0.050000", "0.020000")] * CALLS and
          [r["started_at"] for r in rows] == sorted(
              r["started_at"] for r in rows), f"in order: {rows}")
    check(not get(path + "/calls?what=same")["data"], "and no other")
    answer = call("get", path + "/diff")
    lines = list(csv.DictReader(io.StringIO(answer.data.decode())))
    check(answer.type == "text/csv" and [
        (c["call_id"], c["what"], c["old"], c["new"], c["delta"])
        for c in lines] == [(r["call_id"], "changed", "0.030000", "0.050000",
                             "0.020000")
                            for r in rows], f"a file: {answer.data!r}")
    check(balance(account) == "-0.150000", "nothing is posted")
    again = {"Idempotency-Key": "rated again"}
    jobs = [post(path + "/apply", headers=again) for _ in range(2)]
    check(jobs[0].json()["id"] == jobs[1].json()["id"] and
          ends(jobs[0])["result"]["calls"] == CALLS, "one job")
    check(balance(account) == "-0.250000" and get(path)["status"] == "applied",
          f"the new price: {balance(account)}")
    check(apply(path)["result"]["calls"] == 0 and
          balance(account) == "-0.250000", "once")
    check(sql("select string_agg(kind, ' ' order by id) from "
              f"core.ledger_posting where account_id = '{account}' and kind "
              "like 'rerate%'") == " ".join(
                  ["rerate_refund"] * CALLS + ["rerate_charge"] * CALLS),
          "back, then taken")


def moved_since(account, deck):
    rate(deck, "0.06")
    (_, late), (_, first) = compare(account), compare(account)
    check(apply(first)["result"]["calls"] == CALLS, "one of two")
    job = apply(late)
    faults = get(f"/v1/jobs/{job['id']}/errors")["data"]
    check(job["result"]["failed"] == 1 and len(faults) == 1 and
          faults[0]["value"] == account and
          "compare again" in faults[0]["hint"], f"the other: {faults}")
    check(balance(account) == "-0.300000", "posted nothing")


def invoiced(account, deck):
    seller = make("/v1/sellers", {"name": "S", "city": "Berlin",
                                  "country": "DE"})
    make("/v1/billing-profiles", {
        "account_id": account, "seller_id": seller, "name": "B",
        "city": "Bonn", "country": "DE"})
    job = ends(post("/v1/invoice-runs", {
        "month": "2026-04-01", "seller_id": seller, "issue": True}))
    check(job["result"]["issued"] == 1, f"invoiced: {job}")
    rate(deck, "0.01")
    before = balance(account)
    job, path = compare(account)
    faults = get(f"/v1/jobs/{job['id']}/errors")["data"]
    check([(f["code"], f["value"]) for f in faults] == [
        ("invoiced", account)] and f"{CALLS} calls" in faults[0]["hint"] and
        "credit-notes" in faults[0]["hint"], f"{faults}")
    check([(t["what"], t["delta"]) for t in get(path)["totals"]] == [
        ("invoiced", "0.000000")], f"{get(path)['totals']}")
    check(apply(path)["result"]["calls"] == 0 and balance(account) == before,
          "what is invoiced keeps its price")
    check(sql("select count(*) from billing.check_ledger()") == "0",
          "documents are the ledger")


def refused(account):
    span = {"from": "2026-04-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}
    for body, pointer in (
            ({**span, "to": span["from"]}, "/to"),
            ({**span, "account_id": "acc_" + "0" * 26}, "/account_id"),
            ({**span, "tenant_id": "ten_" + "0" * 26}, "/tenant_id"),
            ({**span, "trunk_id": "trk_" + "0" * 26}, "/trunk_id"),
            ({**span, "rate_deck_id": "dck_" + "0" * 26}, "/rate_deck_id"),
            ({**span, "called_prefix": "+49"}, "/called_prefix")):
        errors = post("/v1/rerates", body, 422).json()["errors"]
        check([e["pointer"] for e in errors] == [pointer], f"{errors}")
    half = sql("select rating.rerate_new('2026-04-01', '2026-05-01', null, "
               f"'{account}', null, null, null, null)")
    check(get("/v1/rerates/" + half)["status"] == "comparing", "not yet")
    post(f"/v1/rerates/{half}/apply", status=409)
    check(call("post", "/v1/rerates", span, JSON, READ_KEY).status == 403 and
          call("get", "/v1/rerates", key=READ_KEY).status == 403,
          "no tenant's affair")


def main():
    account, trunk, deck = world()
    the_same(account)
    the_difference(account, trunk, deck)
    moved_since(account, deck)
    invoiced(account, deck)
    refused(account)
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
