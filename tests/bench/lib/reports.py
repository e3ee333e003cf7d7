#!/usr/bin/python3
"""Every report over a month of many call records.

  reports.py DSN COMMAND FILLER [--rows N] [--json] [--no-target]

FILLER (tests/lib/month) makes a month of N records (10 million); then
`strowger report` is asked for each of the whole month, twice: first as it comes,
then again. Exit 1: the second takes longer than 5 s."""
import argparse
import glob
import json
import os
import subprocess
import sys
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
RECORDS_PER_CALL = 1.86
TARGET_S = 5


def sql(dsn, text):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", dsn],
                          input=text, text=True, capture_output=True,
                          check=True).stdout.strip()


def ask(command, dsn, name, *options):
    began = time.monotonic()
    out = subprocess.run(
        [command, "report", name, "--dsn", dsn, "--from",
         "2026-10-01T00:00:00Z", "--to", "2026-11-01T00:00:00Z", "--format",
         "csv", *options], text=True, capture_output=True, check=False)
    if out.returncode:
        sys.exit("reports: %s: %s" % (name, out.stderr))
    return time.monotonic() - began, out.stdout.count("\n") - 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("command")
    parser.add_argument("filler")
    parser.add_argument("--rows", type=int, default=10000000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-target", action="store_true")
    args = parser.parse_args()

    began = time.monotonic()
    calls = int(args.rows / RECORDS_PER_CALL)
    subprocess.run([args.filler, args.dsn, "--calls", str(calls)], check=True)
    filled = time.monotonic()
    # few calls are counted as they are loaded, a whole month at once
    sql(args.dsn, "set work_mem = '512MB'; set jit = off; "
        "select report.rebuild();")
    sql(args.dsn, "vacuum analyze")
    rows, hours, size = sql(args.dsn, "select (select count(*) from "
                            "cdr.record), (select count(*) from report.hour), "
                            "pg_size_pretty(pg_total_relation_size("
                            "'report.hour'))").split("|")
    if not args.json:
        print("%s records filled in %.0f s; %s rows of roll-up (%s) made in "
              "%.0f s" % (rows, filled - began, hours, size,
                          time.monotonic() - filled), flush=True)

    failed = 0
    names = sorted(os.path.basename(p)[:-4] for p in glob.glob(
        os.path.join(TOP, "sql/reports/*.sql")))
    for name in names:
        options = ["--step", "hour"] if name == "trend" else []
        first, n = ask(args.command, args.dsn, name, *options)
        again, n = ask(args.command, args.dsn, name, *options)
        is_good = again <= TARGET_S
        failed += not is_good
        if args.json:
            print(json.dumps({"bench": "reports", "records": int(rows),
                              "report": name, "rows": n,
                              "first_s": round(first, 3),
                              "s": round(again, 3), "target_s": TARGET_S}))
        else:
            print("%-24s %7.2f s (first %.2f, %d rows)%s" % (
                name, again, first, n, "" if is_good else "  TOO SLOW"),
                flush=True)
    sys.exit(1 if failed and not args.no_target else 0)


if __name__ == "__main__":
    main()
