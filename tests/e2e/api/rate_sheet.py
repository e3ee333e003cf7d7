#!/usr/bin/env python3
"""A rate sheet as a transaction: checked line by line, compared, applied at
an instant, taken back. Uses the same environment as contract.py.
    rate_sheet.py [FILE.csv[.xz]]   also this deck, with times"""
import lzma
import os
import sys
import time

from contract import KEY, Tally, call
from contract import psql as sql

JSON = "application/json"
check = Tally.check
HEAD = ("prefix,destination,rate_per_min,connect_fee,initial_ms,"
        "increment_ms,effective_from,effective_to,blocked\n")


def post(path, body=None, kind=JSON, status=202, headers=None):
    if isinstance(body, str):
        body = body.encode()
    answer = call("post", path, body, kind, KEY, headers=headers or {})
    check(answer.status == status,
          f"POST {path}: {answer.status} {answer.data[:300]!r}")
    return answer


def ends(answer, limit_s=120):
    """The job that an answer names, when it has ended."""
    path = answer.headers["Location"]
    began, seen = time.monotonic(), set()
    while time.monotonic() - began < limit_s:
        job = call("get", path).json()
        seen.add(job["progress"]["done"])
        if job["status"] not in ("queued", "running"):
            return dict(job, seen=seen)
        time.sleep(0.05)
    raise SystemExit(f"{path} does not end")


def bring(deck, text, **query):
    query = "&".join(f"{k}={v}" for k, v in query.items())
    job = ends(post(f"/v1/rate-decks/{deck}/imports?{query}", text,
                    "text/csv"))
    return job, job["args"]["rate_import_id"]


def deck_make(name):
    return call("post", "/v1/rate-decks", {"name": name, "currency": "EUR"},
                JSON).json()["id"]


def deck_text(deck):
    """Every rate of the deck, as the database has it."""
    return sql("select string_agg(format('%s', (r.*)::text), ';' order by "
               "prefix, effective_from) from core.rate r "
               f"where deck_id = '{deck}'")


def faults_are_named():
    deck = deck_make("faulty")
    job, sheet = bring(deck, HEAD +
                       "49,Germany,0.01,0,1000,1000,,,\n"
                       "4x,Nowhere,0.01,0,1000,1000,,,\n"
                       "43,Austria,+99,0,1000,1000,,,\n"
                       "41,Switzerland,0.02,0,0,1000,,,maybe\n"
                       "33,France\n")
    check(job["status"] == "failed" and job["errors"] == 5, f"{job}")
    faults = call("get", f"/v1/jobs/{job['id']}/errors").json()["data"]
    check([(f["line"], f["column"], f["value"]) for f in faults] == [
        (3, "prefix", "4x"), (4, "rate_per_min", "+99"),
        (5, "initial_ms", "0"), (5, "blocked", "maybe"), (6, None, None)],
        f"line, column, value: {faults}")
    check(all(f["hint"] and f["code"] for f in faults), "and what to do")
    check(call("get", f"/v1/rate-imports/{sheet}").json()["status"] ==
          "faulty" and not deck_text(deck), "nothing came into the deck")
    job, _ = bring(deck, HEAD + "49,A,0.01,0,1000,1000,,,\n"
                   "49,B,0.02,0,1000,1000,,,\n"
                   "43,C,1,0,1,1,2030-01-01T00:00:00Z,2029-01-01T00:00:00Z,"
                   "\n")
    faults = call("get", f"/v1/jobs/{job['id']}/errors").json()["data"]
    check([(f["line"], f["code"]) for f in faults] ==
          [(3, "repeated"), (4, "out_of_range")], f"{faults}")
    for text in ("prefix,colour\n49,red\n", "", "\n"):
        answer = call("post", f"/v1/rate-decks/{deck}/imports", text,
                      "text/csv")
        check(answer.status in (202, 400), "a header without columns")
        if answer.status == 202:
            check(ends(answer)["status"] == "failed", text)
    post(f"/v1/rate-imports/{sheet}/apply", status=409)
    post(f"/v1/rate-decks/{deck}/imports?mode=x", HEAD, "text/csv", 400)
    post(f"/v1/rate-decks/{deck}/imports?effective_from=x", HEAD,
         "text/csv", 400)


def difference_and_back():
    deck = deck_make("diff")
    job, first = bring(deck, HEAD + "49,Germany,0.0100,0,60000,60000,"
                       "2026-01-01T00:00:00Z,,\n"
                       "4915,Mobile,0.0500,0,1000,1000,"
                       "2026-01-01T00:00:00Z,,\n"
                       "43,Austria,0.0200,0,1000,1000,"
                       "2026-01-01T00:00:00Z,,\n"
                       "41,Switzerland,0.0300,0,1000,1000,"
                       "2026-01-01T00:00:00Z,,\n"
                       "33,France,0.0300,0,1000,1000,"
                       "2026-01-01T00:00:00Z,,\n")
    check(ends(post(f"/v1/rate-imports/{first}/apply"))["status"] == "done",
          "the first sheet")
    before = deck_text(deck)
    sheet_text = (HEAD + "49,Germany,0.0120,0,60000,60000,,,\n"
                  "4915,Mobile,0.0400,0,1000,1000,,,\n"
                  "43,Austria,0.0200,0,1000,1000,,,\n"
                  "41,Switzerland,0.0300,0,60000,1000,,,\n"
                  "44,United Kingdom,0.0090,0,1000,1000,,,\n")
    job, sheet = bring(deck, sheet_text, mode="replace",
                       effective_from="2027-01-01T00:00:00Z")
    row = call("get", f"/v1/rate-imports/{sheet}").json()
    check(row["changes"] == {"new": 1, "dearer": 1, "cheaper": 1,
                             "changed": 1, "same": 1, "closed": 1},
          f"counts: {row['changes']}")
    check(deck_text(deck) == before, "compared is not applied")
    rows = call("get", f"/v1/rate-imports/{sheet}/rows").json()["data"]
    by = {r["prefix"]: r for r in rows}
    check(by["49"]["difference_percent"] == "20.00" and
          by["49"]["old"]["rate_per_min"] == "0.010000000" and
          by["49"]["rate_per_min"] == "0.012000000" and
          by["4915"]["difference_percent"] == "-20.00" and
          by["33"]["change"] == "closed" and
          by["44"]["difference_percent"] is None, f"rows: {by}")
    check([r["prefix"] for r in call(
        "get", f"/v1/rate-imports/{sheet}/rows?change=dearer")
        .json()["data"]] == ["49"], "filter")

    answer = call("post", f"/v1/rate-imports/{sheet}/apply?dry_run=1")
    check(deck_text(deck) == before and answer.status == 202, "a dry run")
    job = ends(post(f"/v1/rate-imports/{sheet}/apply"))
    check(job["status"] == "done", f"{job}")
    rates = sql("select string_agg(prefix || ' ' || rate_per_min_nano || ' ' "
                "|| to_char(effective_from at time zone 'UTC', 'YYYY') || "
                "coalesce(to_char(effective_to at time zone 'UTC', '-YYYY'),"
                f" ''), ', ' order by prefix, effective_from) from core.rate "
                f"where deck_id = '{deck}'")
    check(rates == "33 30000000 2026-2027, 41 30000000 2026-2027, "
          "41 30000000 2027, 43 20000000 2026, 44 9000000 2027, "
          "49 10000000 2026-2027, 49 12000000 2027, "
          "4915 50000000 2026-2027, 4915 40000000 2027",
          f"in force at the instant: {rates}")
    post(f"/v1/rate-imports/{sheet}/apply", status=409)
    job = ends(post(f"/v1/rate-imports/{sheet}/rollback"))
    check(job["status"] == "done" and deck_text(deck) == before,
          f"as it was: {deck_text(deck)} {before}")
    post(f"/v1/rate-imports/{sheet}/rollback", status=409)


def a_deck_that_moved():
    deck = deck_make("moved")
    _, sheet = bring(deck, HEAD + "49,Germany,0.01,0,1,1,,,\n")
    _, other = bring(deck, HEAD + "43,Austria,0.01,0,1,1,,,\n")
    check(ends(post(f"/v1/rate-imports/{other}/apply"))["status"] == "done",
          "the other one first")
    job = ends(post(f"/v1/rate-imports/{sheet}/apply"))
    check(job["status"] == "failed" and "changed since" in job["detail"],
          f"what was compared is no more: {job}")
    call("delete", f"/v1/rate-decks/{deck}/rates/43",
         headers={"If-Match": "*"})
    job = ends(post(f"/v1/rate-imports/{other}/rollback"))
    check(job["status"] == "failed", f"nor can it be taken back: {job}")


def impact_of_a_month():
    deck = deck_make("impact")
    _, first = bring(deck, HEAD + "49,Germany,0.06,0,1000,1000,"
                     "2026-01-01T00:00:00Z,,\n")
    ends(post(f"/v1/rate-imports/{first}/apply"))
    sql("select cdr.ensure_partitions(now() - interval '1 month', now());"
        "with c as (insert into cdr.record (started_at, call_id, attempt, "
        "called) select now() - n * interval '1 hour', gen_random_uuid(), 0, "
        "case when n <= 6 then '+4930123' else '+4915123' end "
        "from generate_series(1, 10) n returning *) insert into cdr.charge "
        "(started_at, call_id, attempt, side, amount_micro, currency, "
        "deck_id, prefix, rate_per_min_nano, connect_fee_micro, billed_ms) "
        f"select started_at, call_id, 0, 'sell', 60000, 'EUR', '{deck}', "
        "'49', 60000000, 0, 60000 from c")
    _, sheet = bring(deck, HEAD + "4915,Mobile,0.09,0.01,1000,1000,,,\n"
                     "49,Germany,0.05,0,1000,1000,,,\n")
    impact = call("get", f"/v1/rate-imports/{sheet}").json()["impact"]
    check(impact["calls"] == 10 and impact["before_micro"] == 600000 and
          impact["after_micro"] == 6 * 50000 + 4 * 100000 and
          impact["billed_s"] == 600, f"{impact}")


def sheet_of(path):
    opener = lzma.open if path.endswith(".xz") else open
    with opener(path, "rt") as file:
        lines = file.read().splitlines()[1:]
    out, had = [HEAD], set()
    for line in lines:
        prefix, rest = line.split(",", 1)
        name, rate, first, step, fee = rest.rsplit(",", 4)
        if prefix not in had:
            had.add(prefix)
            name = name if len(name.encode()) <= 47 else '""'
            out.append(f"{prefix},{name},{rate},{fee},{int(first) * 1000},"
                       f"{int(step) * 1000},,,\n")
    return "".join(out), len(had)


def large(path):
    text, n = sheet_of(path)
    deck = deck_make("large")
    times = {}
    for what in ("into an empty deck", "over itself, all dearer"):
        began = time.monotonic()
        job, sheet = bring(deck, text)
        times["check"] = time.monotonic() - began
        check(job["status"] == "done" and len(job["seen"]) > 2,
              f"progress is seen: {job}")
        began = time.monotonic()
        job = ends(post(f"/v1/rate-imports/{sheet}/apply"))
        times["apply"] = time.monotonic() - began
        check(job["status"] == "done", f"{job}")
        print(f"  {n} rates {what}: " + ", ".join(
            f"{k} {v:.1f} s" for k, v in times.items()))
        check(sum(times.values()) < 60, "in under a minute")
        text = HEAD + "".join(
            l.replace(",0.", ",1.", 1) + "\n"
            for l in text.splitlines()[1:])
    began = time.monotonic()
    job = ends(post(f"/v1/rate-imports/{sheet}/rollback"))
    check(job["status"] == "done", f"{job}")
    print(f"  taken back in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    faults_are_named()
    difference_and_back()
    a_deck_that_moved()
    impact_of_a_month()
    if len(sys.argv) > 1 or "RATE_SHEET" in os.environ:
        large(os.environ.get("RATE_SHEET") or sys.argv[1])
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)
