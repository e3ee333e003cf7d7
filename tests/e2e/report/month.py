#!/usr/bin/python3
"""What `run` checks: month.py COMMAND FOLDER, database in $STROWGER_DSN."""
import csv
import glob
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal

COMMAND, FOLDER = sys.argv[1:]
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
DSN = os.environ["STROWGER_DSN"]
SPAN = ["--from", "2026-10-01T00:00:00Z", "--to", "2026-11-01T00:00:00Z"]
RESELLER = "ten_" + "1".zfill(26) # five tenants stand below it
passed = failed = 0


def check(is_so, what):
    global passed, failed
    passed += bool(is_so)
    failed += not is_so
    if not is_so:
        print("not ok", what, flush=True)


def sql(text):
    out = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", DSN],
                         input=text, text=True, capture_output=True,
                         check=False)
    check(out.returncode == 0, out.stderr)
    return out.stdout.strip()


def strowger(*words, code=0):
    out = subprocess.run([COMMAND, *words], text=True, capture_output=True,
                         check=False)
    check(out.returncode == code, "%s: %d %s" % (
        " ".join(words), out.returncode, out.stderr[-2000:]))
    check(code or ("there may be more" in out.stderr) ==
          ("--limit" in words and words[words.index("--limit") + 1] ==
           str(out.stdout.count("\n") - 1)),
          "says when it is cut: %s: %s" % (words, out.stderr))
    return out.stdout


def rows(name, *options, span=SPAN):
    text = strowger("report", name, *span, "--format", "csv", "--limit",
                    "100000", *options)
    return list(csv.DictReader(io.StringIO(text)))


def total(table, column):
    return sum(Decimal(r[column] or 0) for r in table)


# --- the roll-up, and what is read from it -----------------------------------

def counted():
    check(sql("select count(*) from report.differences('2026-10-01Z', "
              "'2026-11-01Z')") == "0", "roll-ups are what the records are")
    # another way to the same numbers
    for key, where in (("tenant_id", "traffic_by_customer"),
                       ("country", "minutes_by_country")):
        column = {"country": "called_country"}.get(key, key)
        theirs = dict(line.split("|") for line in sql(
            "select coalesce(%s, ''), count(*) from cdr.record where "
            "attempt = 0 group by 1" % column).splitlines())
        ours = {}
        for r in rows(where):
            ours[r[key]] = ours.get(r[key], 0) + int(r["calls"])
        check(ours == {k: int(v) for k, v in theirs.items()},
              "%s: calls by %s" % (where, key))
    net, tax = sql("select sum(net_micro), sum(amount_micro - net_micro) "
                   "from cdr.charge where side = 'sell'").split("|")
    table = rows("traffic_by_customer")
    check(total(table, "revenue") * 1000000 == int(net) and
          total(table, "tax") * 1000000 == int(tax), "revenue and tax")
    check(total(rows("tax"), "amount") * 1000000 == int(tax), "tax report")
    cost = sql("select sum(net_micro) from cdr.charge where side = 'buy'")
    check(total(rows("vendor_traffic"), "cost") * 1000000 == int(cost) and
          total(rows("margin_by_carrier"), "cost") * 1000000 == int(cost),
          "cost")
    loss = [r for r in rows("margin_by_carrier") if r["is_loss"] == "yes"]
    check(loss and all(r["margin"].startswith("-") for r in loss) and any(
        r["carrier"] == "Oriel" and r["destination"] == "Germany Mobile"
        for r in loss), "the destination that got too dear is a loss")
    a = sql("select count(*), count(answered_at) from cdr.record where "
            "attempt > 0").split("|")
    table = rows("quality_by_carrier")
    check([str(total(table, c)) for c in ("attempts", "answered")] == a,
          "attempts at carriers")
    check(all(1 < Decimal(r["mos"]) < 4.5 for r in table), "MOS")


def channels():
    """Hours without a call count, too: beside PostgreSQL's own percentile."""
    for span in (SPAN, ["--from", "2026-10-07T08:00:00Z", "--to",
                        "2026-10-07T18:30:00Z"]):
        theirs = sql(
            "with h as (select trunk_id, hour, sum(duration_ms) as ms from "
            "report.traffic(false, '{0}', '{1}', '', '', '', '', '', '') where "
            "trunk_id <> '' group by 1, 2) "
            "select k.trunk_id, round((percentile_disc(0.95) within group "
            "(order by coalesce(h.ms, 0)) / 3600000.0)::numeric, 2) from "
            "(select distinct trunk_id from h) k cross join generate_series("
            "timestamptz '{0}', timestamptz '{1}' - interval '1 s', "
            "interval '1 hour') g left join h on h.trunk_id = k.trunk_id and "
            "h.hour = g group by 1".format(span[1], span[3]))
        theirs = dict(line.split("|") for line in theirs.splitlines())
        ours = {r["trunk_id"]: r["p95_erlang"] for r in rows("channel_use",
                                                             span=span)}
        check(ours and any(map(Decimal, ours.values())) and ours == theirs,
              "channel_use: %s and %s" % (ours, theirs))
    strowger("report", "channel_use", "--from", "2025-10-01T00:00:00Z", "--to",
             "2026-11-05T00:00:00.001Z", code=1)
    rows("channel_use", span=["--from", "2025-10-01T00:00:00Z", "--to",
                              "2026-11-05T00:00:00Z"])


def ledger():
    table = rows("balance_sheet")
    check(len(table) == 50 and all(
        Decimal(r["opening"]) + sum(Decimal(r[c]) for c in (
            "payments", "usage", "charges", "refunds", "other")) == Decimal(r["closing"])
        for r in table), "opening and all that moved is closing")
    used = sql("select -sum(amount_micro) from cdr.charge where side = "
               "'sell' and started_at + billed_ms * interval '1 ms' < "
               "'2026-11-01Z'")
    check(total(table, "usage") * 1000000 == int(used),
          "what was used is what the charges are")
    last = {r["account_id"]: r["balance"] for r in rows("ledger_statement")}
    check({r["account_id"]: r["closing"] for r in table} == last,
          "a statement ends with the closing balance")


def ends_of_hours():
    for begin, end in (("2026-10-03T10:17:00Z", "2026-10-19T08:41:30.5Z"),
                       ("2026-10-07T10:05:00Z", "2026-10-07T10:55:00Z"),
                       ("2026-10-07T10:00:00Z", "2026-10-07T10:55:00Z")):
        n = sql("select count(*) from cdr.record where attempt = 0 and "
                "started_at >= '%s' and started_at < '%s'" % (begin, end))
        table = rows("minutes_by_country", span=["--from", begin, "--to", end])
        check(total(table, "calls") == int(n), "calls of %s to %s" % (
            begin, end))
    # the day on which Berlin has 25 hours
    day = rows("trend", "--zone", "Europe/Berlin")
    n = sql("select count(*) from cdr.record where attempt = 0 and started_at "
            ">= '2026-10-24 22:00Z' and started_at < '2026-10-25 23:00Z'")
    check([r["calls"] for r in day if r["at"] == "2026-10-25"] == [n],
          "a day of 25 hours")
    # it begins and ends at midnight of UTC, within days of Berlin
    hours = {"2026-10-01": 22, "2026-10-24": 24, "2026-10-25": 25}
    check([r["at"] for r in day if r["at"] in hours and abs(
        Decimal(r["erlang"]) - Decimal(r["minutes"]) / 60 / hours[r["at"]])
        < Decimal("0.0006")] == list(hours),
          f"channels in use: {[r for r in day if r['at'] in hours]}")
    hours = [r["at"] for r in rows(
        "trend", "--zone", "Europe/Berlin", "--step", "hour",
        span=["--from", "2026-10-24T22:00:00Z", "--to",
              "2026-10-25T23:00:00Z"])]
    check(hours == sorted(set(hours), key=lambda h: (h[:10], h[17:20] == "+01",
                                                     h)) and
          len({h[17:] for h in hours}) == 2, "hours tell their offset")
    whole = rows("trend", "--step", "5min")
    check(total(whole, "calls") == total(day, "calls"), "five minutes")


# --- every report, in every form ---------------------------------------------

def forms():
    names = [os.path.basename(p)[:-4] for p in glob.glob(
        os.path.join(TOP, "sql/reports/*.sql"))]
    listed = json.loads(strowger("report", "list", "--format", "json"))
    check(sorted(names) == sorted(r["name"] for r in listed), "list")
    for r in listed:
        if r["name"] == "reconciliation":
            continue
        table = rows(r["name"])
        # there are no invoices, no charges beside those of calls, and
        # nothing was rated again
        if r["name"] in ("aging", "recurring_charges", "invoice_tax",
                         "reratings"):
            continue
        check(table and list(table[0]) == [c["name"] for c in r["columns"]],
              "%s has rows, and its columns" % r["name"])
        if r["name"] != "trend":
            continue
        doc = json.loads(strowger("report", r["name"], *SPAN, "--format",
                                  "json"))
        page = strowger("report", r["name"], *SPAN, "--format", "html")
        plain = strowger("report", r["name"], *SPAN).splitlines()
        check(all(">%s<" % h in page for h in ("Calls", "ASR", "ACD [s]")),
              "headings for people: %s" % page[:2000])
        check(len(doc["rows"]) == len(table) == page.count("<tr>") - 1 ==
              len(plain) - 1, "the same in all forms")
    for n in (2, 1000):
        strowger("report", "trend", *SPAN, "--format", "csv", "--limit", str(n))
    strowger("report", "nothing", *SPAN, code=2)
    strowger("report", "tax", code=2)
    strowger("report", "trend", *SPAN, "--step", "year", code=2)


def numbers():
    """What a number costs its tenant: of charges that go on."""
    did, e164, account = sql(
        "select d.id, d.e164, a.id from core.did d join core.account a on "
        "a.tenant_id = d.tenant_id order by 1 limit 1").split("|")
    for n, amount, ends_on in ((1, 1500000, "null"), (2, 9000000,
                                                      "'2026-10-30'"),
                               (3, 250000, "'2026-10-31'")):
        sql("insert into billing.charge (id, account_id, kind, did_id, name, "
            "amount_micro, quantity, starts_on, ends_on) values ('chg_' || "
            "lpad('%d', 26, '0'), '%s', 'number', '%s', 'N', %d, 2, "
            "'2026-10-05', %s)" % (n, account, did, amount, ends_on))
    monthly = {r["e164"]: (r["monthly"], r["currency"] != "")
               for r in rows("did_inventory")}
    check(monthly.pop(e164) == ("3.50", True) and
          set(monthly.values()) == {("", False)}, "%s" % monthly)


def customers():
    below = sql("select string_agg(tenant_id, ',') from core.tenant_tree "
                "where ancestor_id = '%s'" % RESELLER).split(",")
    check(len(below) == 6, "a reseller has five tenants")
    for r in json.loads(strowger("report", "list", "--format", "json")):
        if not r["is_tenant"]:
            continue
        table = rows(r["name"], "--tenant", RESELLER, "--as-customer")
        seen = {x["tenant_id"] for x in table if "tenant_id" in x}
        check(seen <= set(below), "%s shows no other tenant" % r["name"])
        check(not table or not {"cost", "margin", "margin_percent", "carrier",
                                "carrier_id"} & set(table[0]),
              "%s shows nothing of carriers" % r["name"])
    n = sql("select count(*) from cdr.record r join core.tenant_tree t on "
            "t.tenant_id = r.tenant_id where ancestor_id = '%s' and "
            "attempt = 0" % RESELLER)
    for name in ("traffic_by_customer", "traffic_by_destination", "trend",
                 "top_callers"):
        table = rows(name, "--tenant", RESELLER, "--as-customer")
        check(total(table, "calls") == int(n), "%s of a reseller" % name)
    samples(below)


def samples(below):
    """Other calls that began and failed at the same moments."""
    def samples_of(table):
        return {r["sample_call_id"] for r in table} - {""}

    asked = ("failed_calls", "--tenant", RESELLER, "--as-customer")
    before = samples_of(rows(*asked))
    check(before, "failed calls have samples")
    sql("insert into cdr.record select (jsonb_populate_record(r, "
        "jsonb_build_object('tenant_id', (select min(id) from core.tenant "
        "where id <> all ('{%s}')), 'call_id', overlay(r.call_id::text "
        "placing '00000000' from 1)))).* from cdr.record r where attempt = 0 "
        "and call_id = any ('{%s}')" % (",".join(below), ",".join(before)))
    check(samples_of(rows(*asked)) == before,
          "a call of another tenant is no sample")


# --- a carrier's file --------------------------------------------------------

# what is put into the file, of which line
FAULTS = {"missing_there": 11, "longer": 23, "dearer": 37, "doubled": 41,
          "missing_here": 53, "unanswered": None}


def carrier_file(carrier):
    """Its calls as the carrier has them: a clock 1.4 s fast, whole seconds,
    durations as billed, numbers with 00; and six faults."""
    lines = [line.split("|") for line in sql(
        "select to_char(c.started_at + interval '1.4 s', 'YYYY-MM-DD "
        "HH24:MI:SS.MS'), '00' || ltrim(r.called, '+'), c.billed_ms / 1000, "
        "c.net_micro from cdr.charge c join cdr.record r using (started_at, "
        "call_id, attempt) where c.side = 'buy' and c.carrier_id = '%s' "
        "order by c.started_at, c.call_id" % carrier).splitlines()]
    for line in lines:
        line[2] = int(line[2])
        line[3] = Decimal(line[3]) / 1000000
    refused = sql(
        "select to_char(started_at, 'YYYY-MM-DD HH24:MI:SS.MS'), called from "
        "cdr.record where attempt = 1 and carrier_id = '%s' and answered_at "
        "is null order by started_at limit 1" % carrier).split("|")
    lines[FAULTS["longer"]][2] += 61
    lines[FAULTS["longer"]][3] *= 2
    lines[FAULTS["dearer"]][3] += Decimal("0.05")
    lines.append(list(lines[FAULTS["doubled"]]))
    strange = list(lines[FAULTS["missing_here"]])
    strange[1] = "0049301999999"
    lines.append(strange)
    lines.append([refused[0], refused[1], 12, Decimal("0.0321")])
    del lines[FAULTS["missing_there"]]
    path = os.path.join(FOLDER, "carrier.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Start", "From", "To", "Seconds", "Net"])
        for at, called, seconds, cost in lines:
            out.writerow([at, "anonymous", called, seconds, "%f" % cost])
    return path, lines, refused


def reconciliation():
    carrier = sql("select carrier_id from cdr.charge where side = 'buy' and "
                  "carrier_id in (select id from core.carrier where currency "
                  "= 'EUR') group by 1 order by count(*) desc limit 1")
    path, lines, refused = carrier_file(carrier)
    options = ["--carrier", carrier, "--map",
               "at=Start,called=To,duration=Seconds,cost=Net", *SPAN]
    table = list(csv.DictReader(io.StringIO(strowger(
        "reconcile", path, "--format", "csv", *options))))
    check(sorted(r["fault"] for r in table) == sorted(FAULTS),
          "six faults, each found, no other: %s" % table)
    found = {r["fault"]: r for r in table}
    check(found["longer"]["line"] == str(FAULTS["longer"] + 1), "longer")
    check(found["dearer"]["difference"] == "0.05", "dearer")
    check(found["missing_here"]["called"] == "0049301999999",
          "missing_here")
    check(found["unanswered"]["called"] == refused[1], "unanswered")
    check(found["missing_there"]["line"] == "" and
          found["missing_there"]["call_id"], "missing_there")
    whole = strowger("reconcile", path, *options)
    n = len(lines) - 3
    check(re.search(r"matched %d, faults 6, their clock 1400 ms" % n, whole),
          "totals: " + whole[:600])
    check(sql("select count(*) from report.reconciliation") == "2",
          "both are kept")
    table = rows("reconciliation", "--carrier", carrier)
    check(len(table) == 6, "as a report: the newest")
    # a file that is none leaves nothing behind
    with open(path, "a", encoding="utf-8") as file:
        file.write("yesterday,x,0049301,1,1\n")
    refused = subprocess.run([COMMAND, "reconcile", path, *options], text=True,
                             capture_output=True, check=False)
    check(refused.returncode == 1 and '"yesterday" must be a time' in
          refused.stderr and "1 lines cannot be read" in refused.stderr,
          "what cannot be read is said: %s" % refused)
    strowger("reconcile", path, "--carrier", carrier, *SPAN, code=1)
    strowger("reconcile", path, code=2)
    check(sql("select count(*) from report.reconciliation") == "2",
          "nothing of it is kept")
    print("  faults of a carrier's file: %d of %d found, %d others" % (
        len(set(found) & set(FAULTS)), len(FAULTS),
        len(set(found) - set(FAULTS))))


def main():
    counted()
    channels()
    ledger()
    ends_of_hours()
    forms()
    numbers()
    customers()
    reconciliation()
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
