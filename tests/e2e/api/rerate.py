#!/usr/bin/env python3
"""Calls rated again over REST: compared by a job that posts nothing, the
difference by pages and as a file, posted by another job, once; what is invoiced
keeps its price. With packages, and by the command; one account that is refused
holds up no other. Uses the same environment as contract.py."""
import csv
import datetime
import io
import os
import subprocess
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
    report = get("/v1/reports/reratings?from=2020-01-01T00:00:00Z&to="
                 "2020-12-31T00:00:00Z")
    check(not report["rows"], f"none was begun then: {report}")
    now = datetime.datetime.now(datetime.timezone.utc)
    span = "from={:%FT%TZ}&to={:%FT%TZ}".format(
        now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1))
    report = [r for r in get("/v1/reports/reratings?" + span)["rows"]
              if r["rerate_id"] == path[-30:]]
    check(len(report) == 1 and report[0]["account_id"] == account and [
        report[0][c] for c in ("calls", "changed", "invoiced", "old", "new",
                               "difference")] ==
          [CALLS, CALLS, 0, "0.15", "0.25", "0.10"] and
          report[0]["applied_at"], f"as a report: {report}")
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


def packaged():
    """A call of a minute on a package of 100 s, then one on what is left: by
    intervals of 80 s the first has 80 s of it, and the second 20."""
    account = make("/v1/accounts", {
        "tenant_id": TENANT, "name": "With a package", "type": "postpaid",
        "currency": "EUR", "credit_limit": "1000"})
    deck = make("/v1/rate-decks", {"name": "By steps", "currency": "EUR"})
    trunk = make("/v1/trunks", {
        "tenant_id": TENANT, "account_id": account, "name": "By steps",
        "rate_deck_id": deck})
    rate(deck, "0.06")
    package = make("/v1/packages", {
        "name": "Hundred seconds", "kind": "minutes", "currency": "EUR",
        "period": "month", "seconds": 100})
    owned = make("/v1/subscriptions", {
        "package_id": package, "tenant_id": TENANT, "account_id": account,
        "starts_at": "2026-01-01T00:00:00Z"})
    month = sql(f"""insert into core.package_balance (subscription_id, period,
            starts_at, ends_at, usable_to) select '{owned}', n, s, e, e from
        core.subscription u join core.tenant t on t.id = u.tenant_id
        cross join lateral (select core.period_of('month', 1,
            core.zone_or_utc(t.time_zone), '2026-04-15Z') as n) k
        cross join lateral (select core.period_begin('month', 1,
            core.zone_or_utc(t.time_zone), n) as s, core.period_begin('month',
            1, core.zone_or_utc(t.time_zone), n + 1) as e) b
        where u.id = '{owned}' returning period""").split()[0]
    sql(f"select core.package_book('{owned}', {month}, 'grant', 100000)")
    for n, had in ((20, 60000), (21, 40000)):
        packaged_call(account, trunk, deck, n, had, owned, month)
    return account, deck, owned, month


def packaged_call(account, trunk, deck, n, had, owned, month):
    key = f"00000000-0000-7000-8000-00000000a{n:03}"
    sql(f"""do $$ declare at timestamptz := '2026-04-10Z'::timestamptz
            + {n} * interval '1 hour'; c cdr.charge; begin
        insert into cdr.record (started_at, call_id, attempt, tenant_id,
            account_id, trunk_id, calling, called, answered_at, duration_ms,
            outcome) values (at, '{key}', 0, '{TENANT}', '{account}',
            '{trunk}', '+4930111', '+49401000', at, 60000, 'ok');
        insert into cdr.charge (started_at, call_id, attempt, side,
            account_id, amount_micro, currency, deck_id, prefix, destination,
            net_micro, tax_micro, billed_ms, covered_ms, covered_micro,
            packages, price)
        select at, '{key}', 0, 'sell', '{account}', r.gross_micro, 'EUR',
            '{deck}', '49', 'Germany', r.net_micro, r.tax_micro, r.billed_ms,
            {had}, 0, jsonb_build_array(jsonb_build_object('subscription_id',
                '{owned}', 'period', {month}, 'is_carried', false, 'kind',
                'minutes', 'increment_ms', 1, 'units', {had}, 'covered',
                {had})), p
        from rating.price(rating.find('{deck}', '4930111', '49', at),
            '{account}', null, at, 14400000) p, rating.parts(p, 60000,
            {had}) r;
        select * into c from cdr.charge x where x.call_id = '{key}';
        perform cdr.pay('n1', array[c]); end $$""")


def with_packages():
    account, deck, owned, month = packaged()
    _, path = compare(account)
    check([(t["what"], t["delta"]) for t in get(path)["totals"]] == [
        ("same", "0.000000")] and [(p["old"], p["new"], p["unit"])
        for p in get(path)["packages"]] == [("100.000", "100.000", "s")],
        f"the same units: {get(path)}")
    answer = call("put", f"/v1/rate-decks/{deck}/rates", [
        {"prefix": "49", "destination": "Germany", "rate_per_min": "0.06",
         "initial_ms": 80000, "increment_ms": 1000,
         "effective_from": "2026-01-01T00:00:00Z"}], JSON,
        headers={"If-Match": "*"})
    check(answer.status == 200, f"by 80 s: {answer.data[:300]!r}")
    _, path = compare(account)
    had = [[(p["subscription_id"], p["period"], p["used"]) for p in c[which]]
           for c in get(path + "/calls")["data"]
           for which in ("old_packages", "new_packages")]
    check(had == [[(owned, int(month), used)] for used in (
        "60.000", "80.000", "40.000", "20.000")], f"call by call: {had}")
    answer = call("get", path + "/diff")
    check([(c["delta"], c["old_packages"], c["new_packages"])
           for c in csv.DictReader(io.StringIO(answer.data.decode()))] == [
        (d, f"{owned}.{month} {old}", f"{owned}.{month} {new}")
        for d, old, new in (("0.000000", "60.000", "80.000"),
                            ("0.040000", "40.000", "20.000"))],
          f"and as a file: {answer.data!r}")
    check(apply(path)["result"]["calls"] == 2 and
          get(f"/v1/subscriptions/{owned}/periods")["data"][-1]["used"] ==
          "100.000", "as much of the package")
    check(sql("select count(*) from billing.check_packages() where "
              f"subscription_id = '{owned}'") == "0", "periods are their calls")
    check(sql("select amount_micro from cdr.charge_current where account_id = "
              f"'{account}' order by started_at desc limit 1") == "60000",
          "the rest is the account's")
    return account


def command(*words, code=0):
    out = subprocess.run([os.environ["API_STROWGER"], "rerate", *words, "--dsn",
                          os.environ["API_OWNER"]], text=True,
                         capture_output=True, check=False)
    check(out.returncode == code, f"{words}: {out}")
    return out


def by_command(account, other):
    """Of two accounts the first is refused: the second is done all the same."""
    span = ["--from", "2026-04-01T00:00:00Z", "--to", "2026-05-01T00:00:00Z"]
    sql("create function refuse() returns trigger language plpgsql as $$ begin "
        "raise 'not this one' using errcode = 'P0001'; end $$; create trigger "
        "refuse before insert on rating.rerate_account for each row when "
        f"(new.account_id = '{min(account, other)}') execute function "
        "refuse(); create trigger refuse before insert on rating.rerate_call "
        f"for each row when (new.account_id = '{min(account, other)}') "
        "execute function refuse()")
    out = command("plan", *span, code=1)
    check("1 accounts were refused:\n" + min(account, other) in out.stderr and
          "not this one" in out.stderr and "compared, nothing posted" in
          out.stdout and "apply" not in out.stdout, f"{out}")
    run = out.stdout.split()[-1]
    command("apply", run, code=1)
    sql("drop trigger refuse on rating.rerate_call")
    out = command("plan", *span)
    run = out.stdout.split()[-1]
    check("Hundred seconds" in out.stdout and run.startswith("rrt_"), f"{out}")
    check("old_packages" in command("diff", run).stdout.splitlines()[0], "file")
    out = command("apply", run, code=1)
    check("1 accounts were refused:\n" + min(account, other) in out.stderr and
          "not this one" in out.stderr, f"{out}")
    check(sql("select count(*) from rating.rerate_account where rerate_id = "
              f"'{run}' and account_id = '{max(account, other)}'") == "1",
          "the other is done")
    sql("drop trigger refuse on rating.rerate_account; drop function refuse()")
    command("apply", run)


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
    by_command(account, with_packages())
    refused(account)
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
