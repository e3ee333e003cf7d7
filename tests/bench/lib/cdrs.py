#!/usr/bin/python3
"""Questions to many call records, as the REST API asks them.

  cdrs.py DSN [--rows N] [--json] [--no-target]

Fills one month with N records (10 million; every second is an attempt), made
by the server itself, and times the questions: first each once as it comes,
then the median of nine that differ in tenant, day or number. Exit 1: a median
above its target, or a plan that reads a whole partition."""
import argparse
import json
import statistics
import subprocess
import sys
import time

MONTH, NEXT = "2026-10-01Z", "2026-11-01Z"
TENANTS, NUMBERS = 200, 500000

FILL = """
create table cdr.filled (like cdr.record);
insert into cdr.filled (started_at, call_id, attempt, node, version, direction,
	tenant_id, account_id, trunk_id, carrier_id, gateway_id, route_id,
	calling_received, calling, called_received, called, called_sent,
	answered_at, ended_at, pdd_ms, setup_ms, duration_ms, outcome,
	initiator, sip_code, q850, a_address, a_transport, a_call_id,
	a_user_agent, b_address, b_transport, b_call_id, codec, a_packets,
	a_bytes, b_packets, b_bytes, price_micro, cost_micro, currency,
	billed_ms, rate_prefix, rate_destination, rate_per_min_nano, first_ms,
	next_ms)
select c.at, c.id, attempt, 'bench', '0.1.0', 'outbound',
	'ten_' || lpad(c.tenant::text, 26, '0'),
	'acc_' || lpad(c.tenant::text, 26, '0'),
	'trk_' || lpad((c.tenant * 4 + n %% 4)::text, 26, '0'),
	'car_' || lpad((n %% 20)::text, 26, '0'),
	'gtw_' || lpad((n %% 40)::text, 26, '0'),
	'rte_00000000000000000000000001', c.calling, c.calling, c.called,
	c.called, substr(c.called, 2), c.at + interval '4 s',
	c.at + interval '64 s', 1800, 4000, 60000, 'ok', 'calling', 200, 16,
	'198.51.100.7:5060', 'udp', c.id || '@pbx', 'Asterisk PBX 18.10.0',
	'192.0.2.77:5060', 'udp', c.id || '@sw', 'PCMA/8000', 3000, 516000,
	3000, 516000, 10000, 5000, 'EUR', 60000, '4930', 'Germany Berlin',
	10000000, 60000, 1000
from generate_series(1, %(calls)d) n, lateral (select
	timestamptz '%(month)s' + (n - 1) * (interval '31 days' / %(calls)d) as at,
	md5(n::text)::uuid as id,
	-- a few are large: tenant 0 has a seventh of all
	(power(hashint4(n) & 65535, 2) / power(65536.0, 2) * %(tenants)d)::int
		as tenant,
	'+4930' || lpad((hashint4(n + 1) & 524287)::text, 8, '0') as calling,
	'+4989' || lpad((hashint4(n + 2) & 524287)::text, 8, '0') as called) c,
	generate_series(0, 1) attempt;
select cdr.ensure_partitions('%(month)s', '%(month)s');
do $$
declare
	p text := 'cdr.record_' || to_char(timestamptz '%(month)s' at time zone
		'utc', 'YYYY_MM');
begin
	-- as a month that was filled call by call, but sooner
	execute 'alter table cdr.record detach partition ' || p;
	execute 'drop table ' || p;
	execute format('alter table cdr.record attach partition cdr.filled '
		'for values from (%%L) to (%%L)', '%(month)s', '%(next)s');
end
$$;
vacuum analyze cdr.filled;
"""

LIST = """select t.* from cdr.record t where t.attempt = 0
	and t.started_at >= '%s' and t.started_at < '%s' and %s
	order by t.started_at desc, t.call_id desc limit %d"""
SUM = """select count(*), sum(t.duration_ms), sum(t.price_micro),
	count(*) filter (where t.answered_at is not null) from cdr.record t
	where t.attempt = 0 and t.started_at >= '%s' and t.started_at < '%s'
	and %s"""


def tenant(i):
    # not the largest, and not the smallest
    return "t.tenant_id = 'ten_%s'" % str(20 + 7 * i).zfill(26)


def day(i):
    return "2026-10-%02dZ" % (3 + 2 * i), "2026-10-%02dZ" % (4 + 2 * i)


QUESTIONS = (
    ("a tenant's day, first page of 100", 50,
     lambda i: LIST % (*day(i), tenant(i), 101)),
    ("a tenant's day, summed", 50, lambda i: SUM % (*day(i), tenant(i))),
    ("a tenant's day, all records", 50,
     lambda i: LIST % (*day(i), tenant(i), 100000)),
    ("a called number over the month", 200, lambda i: LIST % (
        MONTH, NEXT, "t.called = '+4989%08d'" % (4711 * (i + 1)), 101)),
    ("a calling number over the month", 200, lambda i: LIST % (
        MONTH, NEXT, "t.calling = '+4930%08d'" % (4711 * (i + 1)), 101)),
    ("one call by its id", 50, lambda i: "select t.* from cdr.record t where "
     "t.call_id = md5('%d')::uuid order by t.attempt" % (1000 * (i + 1))),
    ("the newest 100 of all", 50, lambda i: LIST % (
        "2026-10-%02dZ" % (3 + 2 * i), NEXT, "true", 101)),
)


class Server:
    def __init__(self, dsn):
        self.dsn = dsn

    def run(self, sql):
        out = subprocess.run(["psql", "-X", "-q", "-At", "-v",
                              "ON_ERROR_STOP=1", self.dsn], input=sql,
                             text=True, capture_output=True, check=False)
        if out.returncode:
            sys.exit("cdrs: " + out.stderr)
        return out.stdout

    def explain(self, sql):
        """Milliseconds of the server, and the plan."""
        plan = json.loads(self.run(
            "explain (analyze, buffers, format json) " + sql + ";"))[0]
        return plan["Execution Time"] + plan["Planning Time"], plan["Plan"]


def scans(plan):
    """What reads tables: (node, relation) of the plan."""
    found = []
    if "Relation Name" in plan:
        found.append((plan["Node Type"], plan["Relation Name"],
                      plan.get("Index Name", "")))
    for p in plan.get("Plans", []):
        found += scans(p)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("--rows", type=int, default=10000000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-target", action="store_true")
    args = parser.parse_args()
    server = Server(args.dsn)

    began = time.monotonic()
    server.run(FILL % {"calls": args.rows // 2, "month": MONTH, "next": NEXT,
                       "tenants": TENANTS})
    size = server.run("select pg_size_pretty(pg_total_relation_size("
                      "'cdr.filled'))").strip()
    if not args.json:
        print("%d records, %s, filled in %.0f s" % (
            args.rows, size, time.monotonic() - began), flush=True)

    failed = 0
    for name, target_ms, question in QUESTIONS:
        first, _ = server.explain(question(9))
        times, rows, used = [], [], set()
        for i in range(9):
            ms, plan = server.explain(question(i))
            times.append(ms)
            rows.append(plan["Actual Rows"])
            used |= {s for s in scans(plan) if s[1] == "filled"}
        median = statistics.median(times)
        is_whole = any(s[0] == "Seq Scan" for s in used)
        is_good = median < target_ms and not is_whole
        failed += not is_good
        how = ", ".join(sorted("%s %s" % (s[0], s[2]) for s in used))
        if args.json:
            print(json.dumps({"bench": "cdrs", "rows": args.rows, "what": name,
                              "ms": round(median, 2), "target_ms": target_ms,
                              "first_ms": round(first, 2), "plan": how}))
        else:
            print("%-34s %8.2f ms (target %d, first %.2f, %d rows) %s%s" % (
                name, median, target_ms, first, statistics.median(rows), how,
                "" if is_good else "  TOO SLOW"), flush=True)
    sys.exit(1 if failed and not args.no_target else 0)


if __name__ == "__main__":
    main()
