#!/usr/bin/env python3
"""A carrier's call records beside ours over REST: the faults that were put into
a file and no other, by pages and as CSV; a file that cannot be read leaves
nothing. Uses the same environment as contract.py."""
import csv
import io
import sys
import urllib.parse

from contract import READ_KEY, Tally, call
from contract import psql as sql
from rate_sheet import ends

check = Tally.check
SPAN = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
FAULTS = {"missing_here", "missing_there", "unanswered", "doubled", "longer",
          "dearer"}
CALLS = 12


def get(path):
    answer = call("get", path)
    check(answer.status == 200, f"GET {path}: {answer.status}")
    return answer.json()


def carrier_make():
    """With a call an hour, of a minute and 0.02; the last is not answered."""
    carrier = call("post", "/v1/carriers", {"name": "Disputed", "currency":
                                            "EUR"}, "application/json")
    carrier = carrier.json()["id"]
    sql("select cdr.ensure_partitions('2026-03-01', '2026-04-01')")
    sql(f"""insert into cdr.record (started_at, call_id, attempt, carrier_id,
            called, answered_at, setup_ms, duration_ms, outcome)
        select at, k, 1, '{carrier}', '+49305000' || lpad(n::text, 3, '0'),
            case when n < {CALLS} then at + interval '4 s' end, 4000, case when n < {CALLS} then
            60000 end, 'ok' from (select n, ('00000000-0000-7000-8000-' ||
            lpad('b' || n, 12, '0'))::uuid as k, '2026-03-10Z'::timestamptz
            + n * interval '1 hour' as at from generate_series(1, {CALLS}) n)
            x""")
    sql(f"""insert into cdr.charge (started_at, call_id, attempt, side,
            carrier_id, amount_micro, currency, billed_ms)
        select started_at, call_id, 1, 'buy', carrier_id, 20000, 'EUR', 60000
        from cdr.record where carrier_id = '{carrier}' and answered_at is not
        null""")
    return carrier


def carrier_file():
    """In local time of Berlin (an hour ahead), by a clock 1.4 s late, and with
    a fault of each kind."""
    lines = [[f"2026-03-10 {n + 1:02}:00:01.4", f"0049305000{n:03}", 60, "0.02"]
             for n in range(1, CALLS)]
    lines[1][2] = 75
    lines[2][3] = "0.05"
    lines.append(list(lines[3]))
    del lines[4]
    lines.append([f"2026-03-10 {CALLS + 1}:00:01.4", f"0049305000{CALLS:03}", 1,
                  "0.02"])
    lines.append(["2026-03-10 09:30:00", "0049301999999", 30, "0.01"])
    return "Start,To,Seconds,Net\n" + "".join(
        ",".join(map(str, line)) + "\n" for line in lines)


def order(carrier, text, status=202, **more):
    query = {**SPAN, "time_zone": "Europe/Berlin", "map":
             "at=Start,called=To,duration=Seconds,cost=Net", **more}
    answer = call("post", f"/v1/carriers/{carrier}/reconciliations?" +
                  urllib.parse.urlencode(query), text, "text/csv")
    check(answer.status == status, f"{more}: {answer.status} {answer.data!r}")
    return answer


def pages(path):
    rows, cursor = [], ""
    while True:
        page = get(f"{path}?limit=2{cursor}")
        rows += page["data"]
        if not page["has_more"]:
            return rows
        cursor = "&cursor=" + page["next_cursor"]


def compared(carrier):
    text = carrier_file()
    job = ends(order(carrier, text, file_name="March.csv"))
    n = text.count("\n")
    check(job["status"] == "done" and job["progress"] ==
          {"done": n, "total": n}, f"{job}")
    path = "/v1/reconciliations/" + job["result"]["reconciliation_id"]
    row = get(path)
    check(row["faults"] == job["result"]["faults"] == 6 and
          row["matched"] == job["result"]["matched"] == CALLS - 2 and
          row["clock_offset_ms"] == 1400 and row["file_name"] == "March.csv" and
          row["ours"] == {"calls": CALLS - 1, "duration_ms": 660000,
                          "cost": "0.220000"} and
          row["theirs"] == {"calls": n - 1, "duration_ms": 706000,
                            "cost": "0.280000"}, f"totals: {row}")
    faults = pages(path + "/faults")
    check(len(faults) == 6 and {f["fault"] for f in faults} == FAULTS,
          f"each once, no other: {faults}")
    found = {f["fault"]: f for f in faults}
    check(found["longer"]["line"] == 3 and found["dearer"]["line"] == 4 and
          found["dearer"]["theirs"]["cost"] == "0.050000" and
          found["dearer"]["ours"]["cost"] == "0.020000", f"{found}")
    check(found["missing_there"]["theirs"] == {
        "at": None, "duration_ms": None, "cost": None} and
        found["missing_here"]["call_id"] is None, f"{found}")
    check([f["fault"] for f in get(path + "/faults?fault=doubled")["data"]] ==
          ["doubled"], "one kind")
    answer = call("get", path + "/csv")
    lines = list(csv.DictReader(io.StringIO(answer.data.decode())))
    check(answer.type == "text/csv" and
          [r["fault"] for r in lines] == [f["fault"] for f in faults] and
          [r["line"] for r in lines] == [str(f["line"] or "") for f in faults],
          f"the same as a file: {answer.data!r}")
    return path


def unreadable(carrier):
    """Every line that cannot be read is told of, and nothing is compared."""
    bad = (("yesterday", "0049301", "1", "1", "Start", "yesterday", "a time"),
           ("2026-02-29 10:00:00", "1", "1", "1", "Start",
            "2026-02-29 10:00:00", "a time"),
           ("2026-03-10 24:00", "1", "1", "1", "Start", "2026-03-10 24:00",
            "a time"),
           ("2026-03-10 10:00:00", "none", "1", "1", "To", "none", "a number"),
           ("2026-03-10 10:00:00", "1", "1h", "1", "Seconds", "1h", "seconds"),
           ("2026-03-10 10:00:00", "1", "1", "0,02", "Net", "0,02",
            "a decimal number"),
           ("2026-03-10 10:00:00", "1", "1", None, "Net", None,
            "no such column"))
    text = carrier_file() + "".join(",".join(
        f'"{c}"' if "," in c else c for c in line[:4] if c is not None) + "\n"
        for line in bad)
    text += "2026-03-10 10:00:00+01,1,1,0.01\nx,y,z,\n"
    job = ends(order(carrier, text))
    check(job["status"] == "failed" and "8 lines cannot be read, the first is "
          "line 15" in job["detail"] and "errors" in job["detail"], f"{job}")
    faults = get(f"/v1/jobs/{job['id']}/errors?limit=100")["data"]
    check([(f["line"], f["column"], f["value"]) for f in faults[:7]] ==
          [(15 + k, line[4], line[5]) for k, line in enumerate(bad)] and
          all(line[6] in f["hint"] for f, line in zip(faults, bad)) and
          [(f["line"], f["column"]) for f in faults[7:]] == [
              (23, c) for c in ("Start", "To", "Seconds", "Net")],
          f"each with its column, value and what is expected: {faults}")
    job = ends(order(carrier, "Start,To,Seconds,Net\n" + "a,b,c,d\n" * 600))
    check(job["errors"] == 2400 and "600 lines" in job["detail"], f"{job}")
    check(sql("select count(*) from core.job_error where job_id = "
              f"'{job['id']}'") == "1000", "told of a thousand")
    job = ends(order(carrier, carrier_file() + '2026-03-10 10:00:00,"1\n'))
    faults = get(f"/v1/jobs/{job['id']}/errors")["data"]
    check([(f["line"], f["column"]) for f in faults] == [(15, None)] and
          "CSV" in faults[0]["hint"], f"{faults}")


def refused(carrier):
    before = sql("select count(*) from report.reconciliation")
    unreadable(carrier)
    job = ends(order(carrier, carrier_file(), map="at=Begin"))
    check(job["status"] == "failed" and "Begin is no column" in job["detail"],
          f"{job}")
    job = ends(order(carrier, carrier_file(), time_zone="Nowhere/At_all"))
    check(job["status"] == "failed" and "TimeZone" in job["detail"],
          f"{job}")
    check(sql("select count(*) from report.reconciliation") == before,
          "nothing of them is kept")
    for more in ({"to": SPAN["from"]}, {"to": "2026-06-03T00:00:00Z"},
                 {"time_zone": "x y"}, {"time_of": "noon"}, {"map": "\n"}):
        order(carrier, carrier_file(), 400, **more)
    order("car_" + "0" * 26, carrier_file(), 404)
    check(call("get", "/v1/reconciliations", key=READ_KEY).status == 403,
          "no tenant's affair")


def main():
    carrier = carrier_make()
    path = compared(carrier)
    refused(carrier)
    check([path.endswith(r["id"]) for r in get(
        "/v1/reconciliations?carrier_id=" + carrier)["data"]] == [True],
        "of the carrier")
    answer = call("delete", path, headers={"If-Match": "*"})
    check(answer.status == 204 and call("get", path).status == 404, "gone")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
