#!/usr/bin/env python3
"""What a schema cannot say: isolation of tenants, money, secrets, clashes,
merge patch, bulk rates, bounds. Uses the same environment as contract.py."""
import concurrent.futures
import http.client
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time

from contract import KEY, URL, Tally, call
from contract import psql as sql

JSON = "application/json"
check = Tally.check
# a change whatever the row is
ANY = {"If-Match": "*"}


def post(path, body, key=KEY, status=201):
    answer = call("post", path, body, JSON, key)
    check(answer.status == status,
          f"POST {path}: {answer.status} {answer.data[:300]!r}")
    return answer.json() if answer.data else None


def patch(path, body, status=200, **kw):
    kw.setdefault("headers", ANY)
    answer = call("patch", path, body, JSON, **kw)
    check(answer.status == status,
          f"PATCH {path}: {answer.status} {answer.data[:300]!r}")
    return answer.json()


def get(path, key=KEY, status=200):
    answer = call("get", path, key=key)
    check(answer.status == status,
          f"GET {path}: {answer.status} {answer.data[:300]!r}")
    return answer.json()


def make_key(name, scope, tenant):
    command = shlex.split(os.environ["API_COMMAND"])
    out = subprocess.run(command + ["--create-key", name, "--scope", scope,
                                    "--tenant", tenant], check=True,
                         capture_output=True, text=True)
    return out.stdout.strip()


def world(name):
    """A tenant with an account, a realm and a trunk."""
    tenant = post("/v1/tenants", {"name": name, "currency": "EUR"})
    account = post("/v1/accounts", {
        "tenant_id": tenant["id"], "name": "main", "type": "prepaid",
        "currency": "EUR"})
    post("/v1/realms", {"name": name + ".example",
                        "algorithms": ["MD5", "SHA-256"]})
    trunk = post("/v1/trunks", {
        "tenant_id": tenant["id"], "account_id": account["id"],
        "name": "pbx", "realm": name + ".example"})
    return tenant, account, trunk


def tenants_are_apart(one, two):
    key = make_key("t", "tenant:write", one[0]["id"])
    seen = get("/v1/trunks", key)["data"]
    check([t["id"] for t in seen] == [one[2]["id"]], "own trunks only")
    get("/v1/trunks/" + two[2]["id"], key, 404)
    get("/v1/accounts/" + two[1]["id"] + "/ledger", key, 404)
    get(f"/v1/trunks/{two[2]['id']}/credentials", key, 404)
    get("/v1/carriers", key, 403)
    post(f"/v1/trunks/{two[2]['id']}/credentials",
         {"username": "x", "password": "y"}, key, 404)
    mine = post(f"/v1/trunks/{one[2]['id']}/credentials",
                {"username": "x", "password": "y"}, key)
    post("/v1/dids", {"e164": "+4930000001", "tenant_id": one[0]["id"],
                      "trunk_id": one[2]["id"]}, key, 403)
    other = call("get", f"/v1/trunks/{two[2]['id']}/credentials/{mine['id']}")
    check(other.status == 404, "a child below another parent is not found")
    get("/v1/cdrs?started_at[gte]=2026-11-01T00:00:00Z"
        "&started_at[lt]=2026-12-01T00:00:00Z", key)
    check(get("/v1/calls", key)["data"] == [], "no calls of others")
    sql(f"update core.api_key set status = 'revoked' "
        f"where tenant_id = '{one[0]['id']}'")
    get("/v1/trunks", key, 401)


def cdr_of_tenant():
    key = make_key("c", "tenant:read", "ten_" + "x" * 26)
    page = get("/v1/cdrs?started_at[gte]=2026-11-01T00:00:00Z"
               "&started_at[lt]=2026-12-01T00:00:00Z", key)["data"]
    check(len(page) == 1 and page[0]["price"] == "0.013200" and
          page[0]["cost"] is None,
          f"a tenant sees its calls with prices: {page}")
    span = ("/v1/cdrs?started_at[gte]=2026-11-01T00:00:00Z"
            "&started_at[lt]=2026-12-01T00:00:00Z")
    gateway = "gwy_" + "x" * 26
    check(len(get(f"{span}&gateway_id={gateway}")["data"]) == 1 and
          get(f"{span}&gateway_id={gateway}", key)["data"] == [],
          "nor finds out which carrier it was by asking")
    get(f"{span}&expand=gateway", key, 403)
    cut = get(f"{span}&fields=call_id,tenant,cost&expand=tenant", key)["data"]
    check(cut[0]["tenant"]["name"] == "X" and set(cut[0]) == {
        "call_id", "tenant", "cost"} and cut[0]["cost"] is None,
          f"fields and expand of records: {cut}")
    for wrong in ("price[gte]=much", "duration_ms[lt]=1.5", "sort=called",
                  "sort=cost", "gateway[gte]=1"):
        get(f"{span}&{wrong}", key, 400)
    get("/v1/cdrs?started_at[gte]=2026-11-01T00:00:00Z", key, 400)
    get("/v1/cdrs?started_at[gte]=2026-01-01T00:00:00Z"
        "&started_at[lt]=2026-12-01T00:00:00Z", key, 400)
    sql(FORWARDED)
    whole = get("/v1/cdrs/" + page[0]["call_id"], key)
    check(whole["cost"] is None and len(whole["attempts"]) == 2 and
          [c["side"] for c in whole["charges"]] == ["sell"],
          "a tenant does not see what we pay, nor what who forwarded pays: "
          f"{whole['charges']}")
    whole = get("/v1/cdrs/" + page[0]["call_id"])
    check(whole["cost"] == "0.009100" and len(whole["charges"]) == 3,
          "the platform does")
    who_forwards(page[0]["call_id"], key)
    sql("delete from core.account where id = 'acc_' || repeat('9', 26);"
        "delete from core.tenant where id = 'ten_' || repeat('9', 26)")
    check(whole["started_at"] == "2026-11-10T10:00:00.125Z", "time in ms")
    explained(page[0]["call_id"], key)


def who_forwards(call_id, key):
    """Where a number of somebody else leads is his affair, one's own not."""
    span = ("/v1/cdrs?started_at[gte]=2026-12-02T00:00:00Z"
            "&started_at[lt]=2026-12-03T00:00:00Z")
    for n, trunk in enumerate("9x"):
        sql("insert into cdr.record select (jsonb_populate_record(r, "
            "jsonb_build_object('started_at', '2026-12-02T10:00:00Z', "
            f"'call_id', '06e8b1d2-7c3a-7d4e-8f50-0000000000f{n}', "
            "'called_sent', '+4477', 'diverting', '+4930', "
            f"'diverting_trunk_id', 'trk_' || repeat('{trunk}', 26), "
            "'reason_received', 'forward;reason=unconditional', "
            "'did_id', 'did_' || repeat('9', 26), "
            "'called_country', 'GB'))).* from cdr.record r "
            f"where r.call_id = '{call_id}'")
    path = "/v1/cdrs/06e8b1d2-7c3a-7d4e-8f50-0000000000f"
    others = get(path + "0", key)
    listed = [row for row in get(span, key)["data"]
              if row["call_id"] == others["call_id"]]
    check(len(listed) == 1 and others["attempts"], "the call is there")
    for row in listed + [others] + others["attempts"]:
        check(all(row[name] is None for name in (
            "called_sent", "diverting", "diverting_trunk_id",
            "reason_received", "called_country")) and row["called"],
              f"a tenant does not see who forwards where: {row}")
    check(get(path + "0")["attempts"][0]["called_sent"] == "+4477",
          "the platform does")
    own = get(path + "1", key)
    check(all(row["called_sent"] == "+4477" for row in
              [own] + own["attempts"]), f"its own forward: {own}")
    for what in ("called_country=GB", "did_id=did_" + "9" * 26):
        ours, seen = ({row["call_id"][-2:] for row in get(
            f"{span}&{what}", k)["data"]} for k in (KEY, key))
        check(ours and seen == ours - {"f0"},
              f"nor by asking for it: {what}: {ours}, {seen}")
    counted = []
    for k in (KEY, key):
        rows = get("/v1/reports/minutes_by_country?from=2026-12-02T00:00:00Z"
                   "&to=2026-12-03T00:00:00Z", k)["rows"]
        counted.append({row["country"] or "": row["calls"] for row in rows})
    check(counted[0] == {"GB": 2} and counted[1] == {"GB": 1, "": 1},
          f"nor in reports: {counted}")


FORWARDED = """
insert into core.tenant (id, name, currency)
	values ('ten_' || repeat('9', 26), 'who forwards', 'EUR');
insert into core.account (id, tenant_id, name, type, currency)
	values ('acc_' || repeat('9', 26), 'ten_' || repeat('9', 26), 'main',
	'prepaid', 'EUR');
insert into cdr.charge (started_at, call_id, attempt, side, account_id,
	amount_micro, currency, deck_version, prefix, destination,
	rate_per_min_nano, connect_fee_micro, first_ms, next_ms,
	rounding_mode, rounding_decimals, billed_ms)
select started_at, call_id, 1, side, 'acc_' || repeat('9', 26), 1, currency,
	deck_version, prefix, destination, 1, 0, first_ms, next_ms,
	rounding_mode, rounding_decimals, billed_ms
from cdr.charge where account_id = 'acc_x';
"""


def explained(call_id, key):
    """An ended call's row and decision; carriers are hidden from tenants."""
    call("delete", "/v1/calls/" + call_id)  # the switch forgets it, too
    ended = get("/v1/calls/" + call_id, key)
    check(ended["state"] == "DONE" and ended["outcome"] == "ok" and
          ended["gateway_id"] is None, f"an ended call: {ended}")
    why = get(f"/v1/calls/{call_id}/explain", key)
    check([n["step"] for n in why["decision"]] == ["number"],
          f"a tenant's explain has no costs: {why}")
    other = call("get", "/v1/calls/06e8b1d2-7c3a-7d4e-8f50-1234567890ff/"
                 "explain", key=key)
    check(other.status == 404, "nor is a call of others explained")
    whole = call("post", "/v1/route-tests", {
        "source": "192.0.2.1:5060", "from": "+49", "to": "+44"},
        "application/json").json()
    check(len(whole["decision"]) == 5 and whole["invite"] == "INVITE",
          f"the platform sees all of a route test: {whole}")
    trunk = ("trk_" + "0" * 26)
    for body, status in (
            ({"source": "192.0.2.1:5060"}, 422), ({"trunk_id": trunk}, 422),
            ({}, 422)):
        answer = call("post", "/v1/route-tests",
                      {"from": "+49", "to": "+44", **body},
                      "application/json", key)
        check(answer.status == status, f"a tenant's test of {body}: "
              f"{answer.status}")
    refused = call("post", "/v1/route-tests", {
        "source": "192.0.2.1:5060", "from": "+49", "to": "#"},
        "application/json")
    check(refused.status == 422 and
          refused.json()["errors"][0]["pointer"] == "/to",
          f"what makes no INVITE is the client's: {refused.data!r}")


def money_is_posted(account):
    base = "/v1/accounts/" + account["id"]
    post(base + "/payments", {"amount": "20.000001"})
    post(base + "/adjustments", {"amount": "-0.000002", "note": "rounding"})
    check(get(base)["balance"] == "19.999999", "balance is the sum")
    test = {"source": "192.0.2.1:5060", "from": "prepaid", "to": "+44",
            "display": account["id"]}
    said = call("post", "/v1/route-tests", test, JSON).json()["decision"]
    check(said == [{"step": "funds", "from": "test", "has": 19999999}],
          f"a route test knows what the ledger has: {said}")
    ledger = get(base + "/ledger")["data"]
    check([p["amount"] for p in ledger] == ["-0.000002", "20.000001"] and
          ledger[0]["balance_after"] == "19.999999", f"ledger {ledger}")
    for amount in ("0", "-1", "1.0000001", "1e3", "", "99999999999999999999",
                   5, None):
        post(base + "/payments", {"amount": amount}, status=422)
    patch(base, {"balance": "1"}, 422)
    patch(base, {"currency": "USD"}, 422)


def refused_records_are_seen_to():
    """What the database refused is shown with its reason, and discarded once;
    the number of a letter is one."""
    ids = sql("""insert into cdr.dead_letter (node, segment, offset_bytes,
        frame, sqlstate, error) values ('e2e', 1, 10, '\\x01', '23514', 'why'),
        ('e2e', 1, 20, '\\x0203', null, 'cannot be decoded')
        returning id""").split()
    letters = get("/v1/dead-letters?node=e2e&status=open")["data"]
    check([(x["error"], x["bytes"], x["sqlstate"]) for x in letters]
          == [("cannot be decoded", 2, None), ("why", 1, "23514")],
          f"dead letters: {letters}")
    path = "/v1/dead-letters/" + ids[0]
    check(get(path)["status"] == "open", "open")
    post(path + "/discard", {}, status=422)
    gone = post(path + "/discard", {"note": "a test"}, status=200)
    check((gone["status"], gone["discard_note"]) == ("discarded", "a test"),
          f"discarded: {gone}")
    post(path + "/discard", {"note": "again"}, status=409)
    for bad in ("0", "999999", "x", "-1", "99999999999999999999"):
        get("/v1/dead-letters/" + bad, status=404)
        post(f"/v1/dead-letters/{bad}/discard", {"note": "n"}, status=404)
    audit = sql(f"select after from core.audit where kind = "
                 f"'dead_letter' and object_id = '{ids[0]}'")
    check(audit, "a discard is audited")


def what_is_unused_goes(tenant):
    account = post("/v1/accounts", {
        "tenant_id": tenant["id"], "name": "spare", "type": "postpaid",
        "currency": "EUR"})
    empty = post("/v1/tenants", {"name": "empty", "currency": "EUR"})
    for path in ("/v1/accounts/" + account["id"],
                 "/v1/tenants/" + empty["id"]):
        check(call("delete", path, headers=ANY).status == 204,
              "DELETE " + path)
        get(path, status=404)


def keys_make_it_once(account):
    base = "/v1/accounts/" + account["id"]
    before = float(get(base)["balance"])

    def pay(amount, name):
        return call("post", base + "/payments", {"amount": amount}, JSON,
                    headers={"Idempotency-Key": name})

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: pay("7", "once"), range(8)))
    done.append(pay("7", "once"))
    made = [a for a in done if a.status == 201]
    check({a.status for a in done} <= {201, 409} and
          len({a.json()["id"] for a in made}) == 1,
          f"eight times the same payment: {[a.status for a in done]}")
    check(sum(a.headers.get("Idempotency-Replayed") == "true"
              for a in made) == len(made) - 1, "all but the first are told")
    check(float(get(base)["balance"]) == before + 7, "it was made once")
    check(pay("8", "once").status == 422, "the key for another payment")
    check(pay("-1", "bad").status == 422 and pay("1", "bad").status == 201,
          "a refusal is not kept")
    check(pay("1", "x" * 256).status == 400, "a key too long")
    while_it_is_under_way(account, lambda: pay("1", "slow"))
    call("post", base + "/adjustments", {"amount": "-8"}, JSON)


def while_it_is_under_way(account, work):
    """The first waits for a row that somebody else holds."""
    with subprocess.Popen(
            ["psql", "-qXAt", os.environ["API_OWNER"]], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        holder.stdin.write("begin; select 'held' from core.account where "
                           f"id = '{account['id']}' for update;\n")
        holder.stdin.flush()
        holder.stdout.readline()
        first = pool.submit(work)
        deadline = time.monotonic() + 4
        while sql("select count(*) from pg_stat_activity where usename = "
                  "'api' and wait_event_type = 'Lock'") == "0" and \
                time.monotonic() < deadline:
            time.sleep(0.02)
        second = work()
        holder.stdin.write("rollback;\n")
        holder.stdin.close()
        first = first.result()
    check(first.status == 201 and second.status == 409 and
          second.json()["code"] == "in_flight" and
          second.headers["Retry-After"] == "1",
          f"while the first is at work: {second.status} {second.data!r}")
    call("post", "/v1/accounts/" + account["id"] + "/adjustments",
         {"amount": "-1"}, JSON)


def many_pay_at_once(account):
    base = "/v1/accounts/" + account["id"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: call(
            "post", base + "/payments", {"amount": "1"}, JSON).status,
            range(40)))
    check(done == [201] * 40, f"40 payments at once: {set(done)}")
    check(get(base)["balance"] == "59.999999", "none is lost or doubled")


def secrets_stay(trunk):
    base = f"/v1/trunks/{trunk['id']}/credentials"
    made = post(base, {"username": "Mufasa", "password": "Circle of Life"})
    check("password" not in made and "ha1" not in json.dumps(made),
          "a password is not sent back")
    ha1 = sql("select ha1_md5 from core.trunk_credential where id = '%s'"
              % made["id"])
    want = subprocess.run(
        ["md5sum"], input=f"Mufasa:{made['realm']}:Circle of Life",
        capture_output=True, text=True, check=True).stdout.split()[0]
    check(ha1 == want, "HA1 is the hash of name:realm:password")
    check(sql("select ha1_sha512_256 is null and ha1_sha256 is not null from "
              "core.trunk_credential where id = '%s'" % made["id"]) == "t",
          "a hash for each algorithm of the realm, and no other")
    patch(f"{base}/{made['id']}", {"username": "Scar"}, 422)
    patch(f"{base}/{made['id']}", {"username": "Scar", "password": "z"})
    check(sql("select count(*) from core.audit where before::text || "
              "after::text ~ 'Circle|ha1_'") == "0", "nor is it in the audit")
    patch("/v1/trunks/" + trunk["id"], {"realm": None}, 422)


def clashes_are_named(one, two):
    base = f"/v1/trunks/{one[2]['id']}/ip-acls"
    mine = post(base, {"cidr": "203.0.113.7", "port": 5080})
    check(mine["cidr"] == "203.0.113.7/32", "an address is a /32")
    answer = call("post", f"/v1/trunks/{two[2]['id']}/ip-acls",
                  {"cidr": "203.0.113.7/32", "port": 5080}, JSON)
    check(answer.status == 409 and mine["id"] in answer.json()["detail"],
          f"the clash names the row: {answer.data!r}")
    for bad in ("203.0.113.7/24", "0.0.0.0/0", "example.org", "1.2.3",
                "203.0.113.0/33", "::1/129"):
        post(base, {"cidr": bad}, status=422)
    carrier = post("/v1/carriers", {"name": "C", "currency": "EUR"})
    gateway = {"carrier_id": carrier["id"], "name": "g",
               "host": "203.0.113.7", "port": 5080}
    answer = call("post", "/v1/carrier-gateways", gateway, JSON)
    check(answer.status == 409 and mine["id"] in answer.json()["detail"],
          f"a gateway where a trunk is: {answer.data!r}")
    gateway["host"] = "sip.example.org"
    answer = call("post", "/v1/carrier-gateways", gateway, JSON)
    check(answer.status == 422 and
          "names come later" in answer.json()["errors"][0]["detail"],
          "a gateway by name")
    return carrier


def references_are_named(one, two, carrier):
    answer = call("post", "/v1/dids", {
        "e164": "+4930000002", "tenant_id": one[0]["id"],
        "trunk_id": two[2]["id"]}, JSON)
    check(answer.status == 422 and
          answer.json()["errors"][0]["pointer"] == "/trunk_id",
          f"another tenant's trunk: {answer.data!r}")
    answer = call("delete", "/v1/tenants/" + one[0]["id"], headers=ANY)
    check(answer.status == 409 and answer.json()["code"] == "in_use",
          f"a tenant in use: {answer.data!r}")
    deck = post("/v1/rate-decks", {"name": "nok", "currency": "NOK"})
    answer = call("patch", "/v1/carriers/" + carrier["id"],
                  {"rate_deck_id": deck["id"]}, JSON, headers=ANY)
    check(answer.status == 422 and
          answer.json()["errors"][0]["pointer"] == "/rate_deck_id",
          f"a deck in another currency: {answer.data!r}")
    answer = call("patch", "/v1/trunks/" + one[2]["id"],
                  {"cli_policy": "default"}, JSON, headers=ANY)
    check(answer.status == 422 and
          answer.json()["errors"][0]["pointer"] == "/default_cli",
          f"default_cli is missing: {answer.data!r}")
    answer = call("post", "/v1/trunks", {"name": 5, "number_in": [
        {"prefix": "0", "strip": "x"}], "channels": {"in": -1, "x": 1},
        "default_cli": "0301"}, JSON)
    pointers = {e["pointer"] for e in answer.json()["errors"]}
    check({"/name", "/number_in", "/channels/in", "/channels/x",
           "/default_cli", "/tenant_id", "/account_id"} == pointers,
          f"all faults at once: {pointers}")


def patch_is_merged(trunk):
    path = "/v1/trunks/" + trunk["id"]
    row = patch(path, {"channels": {"in": 3, "out": 4}, "max_call_s": 60})
    row = patch(path, {"channels": {"out": None}, "max_call_s": None})
    check(row["channels"] == {"in": 3, "out": None, "total": 2} and
          row["max_call_s"] == 14400 and row["cps"] == 2,
          f"null takes away, and the default is back: {row['channels']}")
    patch(path, {"tenant_id": "ten_" + "0" * 26}, 422)
    row = patch(path, {"origination": {"host": "192.0.2.99"}})
    check(row["origination"] == {"host": "192.0.2.99", "port": None},
          "nested members")
    patch(path, {"origination": None})
    answer = call("patch", path, [], JSON, headers=ANY)
    check(answer.status == 422, "a patch that is no object")


def limits_are_taken_apart(trunk):
    """What a new trunk has; no limit, modes, actions and codes."""
    path = "/v1/trunks/" + trunk["id"]
    check(trunk["channels"] == {"in": None, "out": None, "total": 2} and
          trunk["cps"] == 2 and trunk["channel_mode"] == "total" and
          trunk["limit_action"] == "reject", f"a new trunk: {trunk}")
    row = patch(path, {"channels": {"total": None}, "cps": None})
    check(row["channels"]["total"] is None and row["cps"] is None,
          "null is no limit, not the default")
    row = patch(path, {"channel_mode": "in_out"})
    answer = call("patch", path, {"channels": {"total": 3}}, JSON,
                  headers=ANY)
    check(answer.status == 422 and answer.json()["errors"][0]["pointer"] ==
          "/channels/total", f"in_out has no total: {answer.data!r}")
    answer = call("patch", path, {"limit_sip_code": 499}, JSON, headers=ANY)
    check(answer.status == 422 and answer.json()["errors"][0]["pointer"] ==
          "/limit_sip_code", f"a code that is none: {answer.data!r}")
    patch(path, {"channel_mode": "paired", "channels": {"total": 2},
                 "cps": 2, "limit_sip_code": 480, "burst_percent": 50,
                 "bandwidth_kbps": 1000})
    patch(path, {"limit_action": "next_route"}, 422)
    patch(path, {"burst_percent": 101}, 422)
    patch(path, {"channel_mode": None, "channels": None,
                 "limit_sip_code": None})
    patch(path, {"channels": {"total": 2}})


def gateways_keep_credentials(carrier):
    made = post("/v1/carrier-gateways", {
        "carrier_id": carrier["id"], "name": "g", "host": "2001:db8::1",
        "credential": {"username": "u", "realm": "r", "password": "p"}})
    path = "/v1/carrier-gateways/" + made["id"]
    row = patch(path, {"port": 5070})
    check(row["credential"] == {"username": "u", "realm": "r"} and
          sql("select ha1_md5 is not null from core.gateway where id = '%s'"
              % made["id"]) == "t", "a patch of the port keeps the password")
    patch(path, {"credential": {"username": "v"}}, 422)
    row = patch(path, {"credential": None})
    check(row["credential"] == {"username": None, "realm": None} and
          sql("select ha1_md5 is null from core.gateway where id = '%s'"
              % made["id"]) == "t", "and null takes it away")
    again = {"carrier_id": carrier["id"], "name": "h", "host": "2001:db8::1",
             "port": 5070}
    post("/v1/carrier-gateways", again, status=409)
    route = post("/v1/routes", {"prefix": "33", "name": "F", "targets": [
        {"gateway_id": made["id"]}]})
    check(route["targets"] == [{"gateway_id": made["id"], "priority": 1,
                                "weight": 100}], "target with defaults")
    post("/v1/routes", {"prefix": "34", "name": "E", "targets": [
        {"gateway_id": "gwy_" + "0" * 26}]}, status=422)
    post("/v1/routes", {"prefix": "34", "name": "E", "targets": [
        {"gateway_id": made["id"]}, {"gateway_id": made["id"]}]}, status=422)
    post("/v1/routes", {"kind": "emergency", "prefix": "1", "name": "E",
                        "targets": [{"gateway_id": made["id"]}]}, status=422)
    answer = call("delete", path, headers=ANY)
    check(answer.status == 409, "a gateway in a route")


def a_lock_ends_by_hand(carrier):
    """Of quality, which the switch alone knows."""
    gateway = post("/v1/carrier-gateways", {
        "carrier_id": carrier["id"], "name": "q", "host": "2001:db8::8"})
    path = f"/v1/carrier-gateways/{gateway['id']}"
    with open(os.environ["API_STUB_LOCKS"], "w", encoding="utf-8") as f:
        f.write("asr")
    shown = get(path + "/quality")
    check(shown["state"] == "locked" and shown["reason"] == "asr" and
          shown["gateway_id"] == gateway["id"], f"locked: {shown}")
    dry = post(path + "/unlock?dry_run=1", None, status=200)
    check(dry == shown == get(path + "/quality"), "a dry run leaves it")
    key = {"Idempotency-Key": "unlock"}
    first = call("post", path + "/unlock", headers=key)
    check(first.status == 200 and first.json()["state"] == "open",
          f"unlocked: {first.data!r}")
    audit = get("/v1/audit-events?object_id=" + gateway["id"])["data"]
    check(any(a["kind"] == "gateway_quality" and
              a["before"]["state"] == "locked" and
              a["after"]["state"] == "open" for a in audit),
          f"who did it is known: {audit}")
    with open(os.environ["API_STUB_LOCKS"], "w", encoding="utf-8") as f:
        f.write("asr")
    again = call("post", path + "/unlock", headers=key)
    check(again.headers["Idempotency-Replayed"] == "true" and
          get(path + "/quality")["state"] == "locked",
          "a repeated POST does not unlock a later lock")
    check(call("delete", path, headers=ANY).status == 204, "it goes")


def plans_order_their_routes(carrier):
    gateway = post("/v1/carrier-gateways", {
        "carrier_id": carrier["id"], "name": "p", "host": "2001:db8::7",
        "tags": ["gold"], "quality": {"asr_min": 40}})
    check(gateway["quality"]["asr_min"] == 40 and
          gateway["quality"]["min_samples"] == 50, "limits with defaults")
    plan = post("/v1/routing-plans", {
        "name": "p", "strategy": "lcr", "margin_floor": {"percent": 5}})
    check(plan["margin_floor"] == {"per_min": None, "percent": 5},
          "a floor in percent alone")
    post("/v1/routing-plans", {"name": "p", "strategy": "cheapest"},
         status=422)
    schedule = post("/v1/schedules", {
        "name": "s", "time_zone": "Europe/Berlin", "holidays": ["2026-12-25"],
        "ranges": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]})
    offsets = json.loads(sql("select core.schedule_object('%s') -> 'offsets'"
                             % schedule["id"]))
    check(len(offsets) > 15 and {o[1] for o in offsets} == {3600, 7200} and
          [1774746000, 7200] in offsets and [1792890000, 3600] in offsets,
          "the switch is given the changes of the clock")
    for bad in ({"time_zone": "CET7"}, {"time_zone": "Mars/Base"},
                {"holidays": ["2026-02-30"]},
                {"ranges": [{"days": ["mon"], "from": "24:00",
                             "to": "06:00"}]}):
        patch("/v1/schedules/" + schedule["id"], bad, 422)
    group = post("/v1/carrier-groups", {
        "name": "g", "gateways": [{"gateway_id": gateway["id"]}]})
    target = {"group_id": group["id"]}
    row = {"prefix": "33", "name": "F", "plan_id": plan["id"],
           "schedule_id": schedule["id"], "tags": ["gold"],
           "called_length": {"min": 8}, "targets": [target]}
    first = post("/v1/routes", row)
    check(first["targets"] == [{**target, "priority": 1, "weight": 100}] and
          first["called_length"] == {"min": 8, "max": 15},
          "a group as target, a length with its default")
    post("/v1/routes", {**row, "position": 2})  # the same prefix again
    post("/v1/routes", {**row, "kind": "emergency", "prefix": "112"},
         status=422)
    post("/v1/routes", {**row, "targets": [
        {**target, "gateway_id": gateway["id"]}]}, status=422)
    post("/v1/routes", {**row, "targets": [{}]}, status=422)
    post("/v1/routes", {**row, "valid_from": "2027-01-01T00:00:00Z",
                        "valid_to": "2026-01-01T00:00:00Z"}, status=422)
    rule = {"carrier_id": carrier["id"], "rule": "only"}
    post("/v1/carrier-rules", rule, status=422)
    numbers = post("/v1/number-lists", {
        "name": "premium", "kind": "deny", "subject": "called"})
    path = "/v1/number-lists/" + numbers["id"]
    patch("/v1/routing-plans/" + plan["id"],
          {"number_lists": [numbers["id"][:-1] + "z"]}, 422)
    patched = patch("/v1/routing-plans/" + plan["id"],
                    {"number_lists": [numbers["id"]]})
    check(patched["number_lists"] == [numbers["id"]], "lists of a plan")
    answer = call("delete", path, headers=ANY)
    check(answer.status == 409 and
          "routing plan uses it" in answer.json()["detail"],
          "a list that a plan names stays, and the answer says why")
    patch("/v1/routing-plans/" + plan["id"], {"number_lists": []})
    answer = call("delete", path, headers=ANY)
    check(answer.status == 204, "and goes when no plan does")
    for path in ("/v1/routing-plans/" + plan["id"],
                 "/v1/carrier-groups/" + group["id"]):
        answer = call("delete", path, headers=ANY)
        check(answer.status == 409, path + " is in use")


def names_have_rules(trunk):
    rules = post("/v1/number-rule-sets", {"name": "n", "name_rules": [
        {"when": "empty", "action": "number"}]})
    check(rules["rules"] == [] and len(rules["name_rules"]) == 1,
          "a set for names alone")
    path = "/v1/number-rule-sets/" + rules["id"]
    for bad in ({"when": "never"}, {"action": "text"}, {"max": 0}, 1):
        problem = patch(path, {"name_rules": [{}, bad]}, 422)
        check(problem["errors"][0]["pointer"] == "/name_rules" and
              problem["errors"][0]["detail"].startswith("[1]."),
              f"which rule is at fault: {problem['errors']}")
    use = {"direction": "out", "subject": "name", "rule_set_id": rules["id"]}
    patch("/v1/trunks/" + trunk["id"], {"numbers": {"rules": [use]}})
    call_test = {"trunk_id": trunk["id"], "direction": "out",
                 "subject": "name", "value": "", "number": "+4930123"}
    answer = post("/v1/number-rule-tests", call_test, status=200)
    check(answer["result"] == "+4930123", "the switch is told who calls")
    answer = call("delete", path, headers=ANY)
    check(answer.status == 409 and
          "trunk or gateway uses it" in answer.json()["detail"],
          "a set in use stays")
    patch("/v1/trunks/" + trunk["id"], {"numbers": {"rules": []}})
    check(call("delete", path, headers=ANY).status == 204, "and goes")


def grants_keep_their_ids(one):
    made = post("/v1/cli-grants", {"tenant_id": one[0]["id"],
                                   "e164": "+441632960000"})
    check(made["id"].startswith("clg_"), f"ids of their own: {made['id']}")
    old = "cgr_" + "0" * 26
    sql("insert into core.cli_grant (id, tenant_id, e164) values "
        f"('{old}', '{one[0]['id']}', '+441632960001')")
    check({g["id"] for g in get("/v1/cli-grants")["data"]} >=
          {made["id"], old}, "beside older ones")
    path = "/v1/cli-grants/" + old
    check(patch(path, {"reference": "LOA"})["reference"] == "LOA" and
          get(path)["id"] == old, "which are as good")
    gone = call("delete", path, headers=ANY)
    check(gone.status == 204, f"DELETE {path}: {gone.status}")
    get(path, status=404)
    get("/v1/carrier-groups/" + made["id"], status=404)


def decks_move_in_one_step():
    deck = post("/v1/rate-decks", {"name": "d", "currency": "EUR"})
    path = f"/v1/rate-decks/{deck['id']}/rates"
    rows = [{"prefix": str(p), "rate_per_min": "0.01"}
            for p in range(100, 400)]
    old = {"If-Match": call("get", path).headers["ETag"]}
    answer = call("put", path, rows, JSON, headers=old)
    check(answer.status == 200 and answer.json()["rates"] == 300,
          f"PUT of 300 rates: {answer.data!r}")
    stale = [call("put", path, rows, JSON, headers=old),
             call("delete", path + "/100", headers=old)]
    check([a.status for a in stale] == [412, 412],
          "by whom has not seen these rates")
    page = call("get", path + "?limit=1")
    known = call("get", path + "?limit=1", headers={
        "If-None-Match": page.headers["ETag"]})
    gone = call("delete", path + "/100", headers={
        "If-Match": page.headers["ETag"]})
    check(known.status == 304 and gone.status == 204,
          f"by whom has: {known.status} {gone.status}")
    check(call("put", path, rows, JSON, headers=ANY).status == 200,
          "or whatever they are")
    rows[7]["prefix"] = "x"
    rows[9]["rate_per_min"] = 1
    answer = call("put", path, rows, JSON, headers=ANY)
    check(answer.status == 422 and
          [e["pointer"] for e in answer.json()["errors"]] ==
          ["/7/prefix", "/9/rate_per_min"], f"faulty rows {answer.data!r}")
    answer = call("put", path, [rows[0], rows[0]], JSON, headers=ANY)
    check(answer.status == 422, "a prefix twice")
    count = "select count(*), count(effective_to) from core.rate " \
            "where deck_id = '%s'" % deck["id"]
    check(sql(count) == "300|0", "a refused deck stays as it was")
    big = "prefix;destination;rate_per_min;effective_from\n" + "".join(
        f"{p};\"Place; {p}\";0.02;2027-01-01T00:00:00+01:00\n"
        for p in range(100, 50100))
    answer = call("post", path, big, "text/csv")
    check(answer.status == 200 and answer.json()["rates"] == 50000,
          f"import of 50,000: {answer.data!r}")
    check(sql(count) == "50300|300", "new rates end the old ones")
    row = get(path + "?prefix=100&limit=2")["data"]
    check(row[0]["effective_to"] == row[1]["effective_from"] ==
          "2026-12-31T23:00:00.000Z" and
          row[1]["destination"] == "Place; 100", f"spans meet: {row}")
    for text, what in (("prefix,rate_per_min\n1,0.1,5\n", "a column more"),
                       ("prefix,rate_per_min\n1,\"0.1\n", "an open quote"),
                       ("prefix,rate_per_min\n1,abc\n", "no number"),
                       ("prefix\n1\n", "a column missing")):
        answer = call("post", path, text, "text/csv")
        check(answer.status == 422, f"{what}: {answer.data!r}")
    check(sql(count) == "50300|300", "refused imports leave no trace")


def changes_are_counted(trunk):
    path = "/v1/trunks/" + trunk["id"]
    one = call("patch", path, {"cps": 7}, JSON, headers=ANY)
    two = call("patch", path, {"cps": 8}, JSON,
               headers={"If-Match": one.headers["ETag"]})
    check(int(two.headers["Strowger-Version"]) >
          int(one.headers["Strowger-Version"]), "versions grow")
    check(sql("select version from core.change where id = '%s'" %
              trunk["id"]) == two.headers["Strowger-Version"],
          "and are the change feed's")
    events = get("/v1/audit-events?object_id=" + trunk["id"] + "&limit=1")
    event = events["data"][0]
    check(event["before"]["cps"] == 7 and event["after"]["cps"] == 8 and
          event["request_id"] == two.headers["X-Request-Id"] and
          event["ip"] == "127.0.0.1", f"audit {event}")


def keys_give_no_more_than_they_have(one, two):
    boss = post("/v1/api-keys", {"name": "boss", "scopes": ["reseller"],
                                 "tenant_id": one[0]["id"],
                                 "expires_at": "2030-01-01T00:00:00Z"})
    key, path = boss["key"], "/v1/api-keys/" + boss["id"]
    check("key" not in get(path) and boss["key"] not in sql(
        "select string_agg(t::text, '') from core.audit t"),
        "a key is shown once")
    end = {"expires_at": "2029-01-01T00:00:00Z"}
    mine = post("/v1/api-keys", {"name": "m", "scopes": ["tenant:write"],
                                 **end}, key)
    check(mine["tenant_id"] == one[0]["id"] and mine["made_by"] == boss["id"],
          f"made for its own tenant: {mine}")
    for body, status in (
            ({"scopes": ["noc"]}, 403),
            ({"scopes": ["platform:read"], "tenant_id": None}, 403),
            ({"scopes": ["tenant:read"], "tenant_id": two[0]["id"]}, 422),
            ({"scopes": ["tenant:read"],
              "expires_at": "2031-01-01T00:00:00Z"}, 403),
            ({"scopes": ["tenant:read"], "expires_at": None}, 403)):
        post("/v1/api-keys", {"name": "n", **end, **body}, key, status)
    post("/v1/api-keys", {"name": "n", "scopes": ["reseller"]}, mine["key"],
         403)
    answer = call("post", path + "/rotate", {}, JSON, mine["key"])
    check(answer.status == 403, f"taking over a greater key: {answer.data!r}")
    patch(path, {"name": "x"}, 403, key=mine["key"])

    new = call("post", path + "/rotate", {"grace_s": 60}, JSON).json()["key"]
    check([call("get", "/v1/trunks", key=k).status for k in (key, new)] ==
          [200, 200], "the old secret is good for a while")
    last = call("post", path + "/rotate", {}, JSON).json()["key"]
    check([call("get", "/v1/trunks", key=k).status
           for k in (key, new, last)] == [401, 401, 200], "and then is not")
    patch(path, {"ip_acls": ["192.0.2.0/24"]})
    get("/v1/trunks", last, 401)
    patch(path, {"ip_acls": ["192.0.2.0/24", "127.0.0.0/8"]})
    get("/v1/trunks", last)
    patch(path, {"status": "revoked"})
    get("/v1/trunks", last, 401)
    patch(path, {"status": "active"}, 422)


def roles_have_their_part(one):
    """noc: status, no money; billing: money, no routing."""
    def role(*scopes):
        return post("/v1/api-keys", {"name": "r", "scopes": list(scopes)})[
            "key"]

    noc, billing = role("noc"), role("billing")
    trunk, account = ("/v1/trunks/" + one[2]["id"],
                      "/v1/accounts/" + one[1]["id"])
    get(trunk, noc)
    get("/v1/carriers", noc)
    get(account, noc, 403)
    get("/v1/rate-decks", noc, 403)
    patch(trunk, {"status": "suspended"}, key=noc)
    patch(trunk, {"status": "active"}, key=noc)
    patch(trunk, {"status": "active", "cps": 100}, 403, key=noc)
    patch(account, {"credit_limit": "1"}, 403, key=noc)
    post(account + "/payments", {"amount": "1"}, noc, 403)
    post(account + "/payments", {"amount": "1"}, billing)
    post(account + "/adjustments", {"amount": "-1"}, billing)
    get("/v1/routes", billing)
    patch(trunk, {"status": "suspended"}, 403, key=billing)
    get("/v1/api-keys", billing, 403)
    get("/v1/audit-events", noc, 403)


def resellers_have_theirs(one, two):
    """What stands below it, but money and trust are the platform's."""
    key = post("/v1/api-keys", {"name": "r", "scopes": ["reseller"],
                                "tenant_id": one[0]["id"]})["key"]
    shop = post("/v1/tenants", {"name": "shop", "currency": "EUR"}, key)
    check(shop["parent_id"] == one[0]["id"], f"below it: {shop}")
    account = {"tenant_id": shop["id"], "name": "main", "type": "prepaid",
               "currency": "EUR"}
    post("/v1/accounts", {**account, "credit_limit": "100"}, key, 403)
    account = post("/v1/accounts", account, key)
    trunk = {"tenant_id": shop["id"], "account_id": account["id"],
             "name": "pbx"}
    post("/v1/trunks", {**trunk, "is_trusted": True}, key, 403)
    deck = post("/v1/rate-decks", {"name": "d", "currency": "EUR"})["id"]
    post("/v1/trunks", {**trunk, "rate_deck_id": deck}, key, 422)
    post("/v1/trunks", {**trunk, "account_id": two[1]["id"]}, key, 422)
    made = post("/v1/trunks", trunk, key)
    patch("/v1/trunks/" + made["id"], {"channels": {"total": 3}}, key=key)
    patch("/v1/trunks/" + made["id"], {"cli_policy": "pass"}, 403, key=key)
    patch("/v1/tenants/" + one[0]["id"], {"status": "active"}, 404, key=key)
    patch("/v1/tenants/" + shop["id"], {"parent_id": two[0]["id"]}, 422,
          key=key)
    check({t["id"] for t in get("/v1/tenants", key)["data"]} ==
          {one[0]["id"], shop["id"]}, "it sees itself and what is below")
    below = make_key("b", "tenant:write", shop["id"])
    get("/v1/tenants/" + one[0]["id"], below, 404)
    for path in ("/v1/trunks/" + made["id"], "/v1/accounts/" + account["id"],
                 "/v1/tenants/" + shop["id"]):
        check(call("delete", path, key=key, headers=ANY).status ==
              (409 if "tenants" in path else 204), "DELETE " + path)


def changes_are_waited_for(trunk):
    """?apply=sync tells when the nodes have it, and which have not."""
    path = "/v1/trunks/" + trunk["id"]
    late = "update core.node set seen_at = now(), applied_version = %s " \
           "where name = '%s'"

    def change(cps):
        return call("patch", path + "?apply=sync", {"cps": cps}, JSON,
                    headers=ANY)

    sql(late % ("1000000000", "n1") + "; " +
        "update core.node set seen_at = now() - interval '1 hour' "
        "where name = 'n2'")
    answer = change(11)
    check(answer.headers["Strowger-Applied"] == "all",
          f"nobody is late: {answer.headers['Strowger-Applied']}")
    sql(late % ("0", "n2"))
    start = time.monotonic()
    answer = change(12)
    check(answer.status == 200 and
          answer.headers["Strowger-Applied"] == "n2" and
          4.5 < time.monotonic() - start < 15, "one does not follow")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(change, 13)
        time.sleep(0.5)
        sql(late % ("1000000000", "n2"))
        answer = answer.result()
    check(answer.headers["Strowger-Applied"] == "all", "one that does")
    sql("update core.node set applied_version = 6")
    check("Strowger-Applied" not in call("patch", path, {"cps": 14}, JSON,
                                         headers=ANY).headers, "not asked")
    answer = call("patch", path + "?apply=now", {}, JSON, headers=ANY)
    check(answer.status == 400, "apply=now")


def a_key_has_its_rate():
    """A second process, where three requests are a burst."""
    command = shlex.split(os.environ["API_COMMAND"])
    with open(command[-1], encoding="utf-8") as f:
        text = f.read()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = re.sub(r"listen: .*", f"listen: 127.0.0.1:{port}\n  rate: 1\n"
                  "  burst: 3\n  jobs: false", text)
    text = re.sub(r"  socket: .*\n", "", text)
    path = command[-1] + ".rate"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)

    def ask(key=KEY):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/v1/tenants?limit=1", headers={
            "Authorization": "Bearer " + key})
        return connection.getresponse()

    with subprocess.Popen([command[0], "-c", path],
                          stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        first = ask()
        answers = [ask() for _ in range(7)]
        other = ask(os.environ["API_READ_KEY"])
        process.terminate()
    check(first.status == 200 and
          first.headers["RateLimit-Policy"] == '"key";q=3;w=3' and
          first.headers["RateLimit"] == '"key";r=2;t=0',
          f"the first: {first.status} {first.headers}")
    late = [a for a in answers if a.status == 429]
    check(late and all(a.headers["Retry-After"] == "1" for a in late),
          f"too many: {[a.status for a in answers]}")
    check(other.status == 200, "another key has its own")


def job_ends(path, key=KEY):
    deadline = time.monotonic() + 20
    while True:
        job = get(path, key)
        if job["finished_at"] or time.monotonic() > deadline:
            return job
        time.sleep(0.05)


def jobs_are_done():
    """Also when their process died, and only for whoever may see them."""
    key = make_key("j", "tenant:read", "ten_" + "x" * 26)
    span = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    lines = {}
    for who in (key, KEY):
        answer = call("post", "/v1/cdr-exports", span, JSON, who)
        path = answer.headers["Location"]
        job = job_ends(path, who)
        check(answer.status == 202 and job["status"] == "done" and
              job["progress"]["done"] == job["progress"]["total"],
              f"export: {job}")
        lines[who] = call("get", path + "/output", key=who).data.decode() \
            .splitlines()
        check(len(lines[who]) == 1 + job["result"]["records"],
              f"a line for each record: {lines[who]}")
    get(path, key, 404)
    get(path + "/output", key, 404)
    check(len(lines[key]) == 2 and len(lines[KEY]) >= 3 and
          "cost" in lines[KEY][0] and "cost" not in lines[key][0],
          "a tenant's records, without what we pay")
    post("/v1/cdr-exports", dict(span, tenant_id="ten_" + "y" * 26), key,
         422)
    post("/v1/cdr-exports", {"from": span["to"], "to": span["from"]},
         status=422)
    check(call("post", path + "/cancel").json()["status"] == "done",
          "what has ended stays as it is")

    # one whose process died, and one that waits for a process
    sql("insert into core.job (id, kind, key_id, status, args) values "
        "('job_' || repeat('d', 26), 'cdr_export', 'k', 'running', "
        "'{\"from\": \"2026-11-01\", \"to\": \"2026-11-02\"}')")
    job = job_ends("/v1/jobs/job_" + "d" * 26)
    check(job["status"] == "done", f"done by who comes next: {job}")
    sql("insert into core.job (id, kind, key_id) values "
        "('job_' || repeat('e', 26), 'nobody_does_it', 'k')")
    job = call("post", "/v1/jobs/job_" + "e" * 26 + "/cancel").json()
    check(job["status"] == "cancelled" and job["finished_at"],
          f"cancelled before it began: {job}")
    sql("insert into core.job (id, kind, key_id, args) values "
        "('job_' || repeat('f', 26), 'cdr_export', 'k', "
        "'{\"from\": \"nonsense\", \"to\": \"2026-11-02\"}')")
    job = job_ends("/v1/jobs/job_" + "f" * 26)
    check(job["status"] == "failed" and job["detail"],
          f"one that cannot be done: {job}")


def bounds_hold():
    raw = socket.create_connection((URL.hostname, URL.port), timeout=10)
    raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" +
                b"X: " + b"y" * 70000 + b"\r\n\r\n")
    first = raw.recv(64)
    check(re.match(rb"HTTP/1.1 4(13|31|00)", first) or not first,
          f"huge headers: {first!r}")
    raw.close()
    raw = socket.create_connection((URL.hostname, URL.port), timeout=10)
    raw.sendall(b"\x00\xff nonsense\r\n\r\n")
    raw.close()
    body = json.dumps({"name": "x" * (1 << 20), "currency": "EUR"})
    raw = socket.create_connection((URL.hostname, URL.port), timeout=10)
    raw.sendall((f"POST /v1/tenants HTTP/1.1\r\nHost: x\r\nAuthorization: "
                 f"Bearer {KEY}\r\nContent-Type: {JSON}\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n"
                 f"{len(body):x}\r\n{body}\r\n0\r\n\r\n").encode())
    check(b" 413 " in raw.recv(64), "a chunked body beyond the bound")
    raw.close()
    post("/v1/tenants", {"name": "a\u0007b", "currency": "EUR"}, status=422)
    post("/v1/tenants", {"name": "\u00e4" * 31, "currency": "EUR"})
    post("/v1/tenants", {"name": "\u00e4" * 32, "currency": "EUR"},
         status=422)


def local_socket():
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(os.environ["API_SOCKET"])
    raw.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
    check(raw.recv(64).startswith(b"HTTP/1.1 200"), "the unix socket")
    raw.close()
    check(os.stat(os.environ["API_SOCKET"]).st_mode & 0o777 == 0o660,
          "and its mode")


def proxies_are_looked_behind():
    """We are a proxy that the API trusts; its unix socket is none."""
    made = post("/v1/api-keys", {"name": "office", "scopes": [
        "platform:write"], "ip_acls": ["203.0.113.0/24"]})
    key = made["key"]

    def status(*forwarded):
        c = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
        c.putrequest("GET", "/v1/tenants")
        c.putheader("Authorization", "Bearer " + key)
        for value in forwarded:
            c.putheader("X-Forwarded-For", value)
        c.endheaders()
        try:
            return c.getresponse().status
        finally:
            c.close()

    for forwarded, wanted in (
            ((), 401), (("203.0.113.9",), 200), (("203.0.114.9",), 401),
            (("198.51.100.1, 203.0.113.9",), 200),
            (("203.0.113.9, 198.51.100.1",), 401),
            (("203.0.113.9, 10.1.1.1",), 200),
            (("203.0.113.9", "198.51.100.1"), 401),
            (("198.51.100.1", "203.0.113.9"), 200),
            (("nonsense",), 401), (("203.0.113.9," * 400,), 401)):
        check(status(*forwarded) == wanted, f"{forwarded}: {wanted}")
    made = call("post", "/v1/tenants", {"name": "f", "currency": "EUR"}, JSON,
                key, {"X-Forwarded-For": "203.0.113.9"}).json()
    audit = get("/v1/audit-events?object_id=" + made["id"])["data"]
    check([a["ip"] for a in audit] == ["203.0.113.9"],
          f"and the audit names the client: {audit}")
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(os.environ["API_SOCKET"])
    raw.sendall(b"GET /v1/tenants HTTP/1.0\r\nAuthorization: Bearer " +
                key.encode() + b"\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
    check(raw.recv(64).startswith(b"HTTP/1.1 401"),
          "who is no proxy of ours is not believed")
    raw.close()


def database_comes_back():
    sql("select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename = 'api'")
    codes = [call("get", "/v1/tenants").status for _ in range(8)]
    check(codes == [200] * 8, f"after lost connections: {codes}")


def database_goes_away():
    sql("alter role api nologin")
    sql("select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename = 'api'")
    answer = call("get", "/v1/tenants")
    check(answer.status == 503 and answer.headers["Retry-After"] == "1" and
          answer.json()["code"] == "database_unavailable",
          f"without a database: {answer.status}")
    check(call("get", "/healthz").status == 200, "the process lives")
    check(call("get", "/readyz").status == 503, "but is not ready")
    sql("alter role api login")
    deadline = time.monotonic() + 10
    while call("get", "/readyz").status != 200 or \
            call("get", "/v1/tenants").status != 200:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    time.sleep(1.1)  # each thread tries once a second
    codes = {call("get", "/v1/tenants").status for _ in range(16)}
    check(codes == {200}, f"and it comes back: {codes}")


def main():
    one, two = world("one"), world("two")
    tenants_are_apart(one, two)
    cdr_of_tenant()
    money_is_posted(one[1])
    refused_records_are_seen_to()
    what_is_unused_goes(one[0])
    keys_make_it_once(one[1])
    many_pay_at_once(one[1])
    secrets_stay(one[2])
    carrier = clashes_are_named(one, two)
    references_are_named(one, two, carrier)
    limits_are_taken_apart(two[2])
    patch_is_merged(one[2])
    gateways_keep_credentials(carrier)
    a_lock_ends_by_hand(carrier)
    plans_order_their_routes(carrier)
    names_have_rules(one[2])
    grants_keep_their_ids(one)
    decks_move_in_one_step()
    changes_are_counted(one[2])
    jobs_are_done()
    changes_are_waited_for(one[2])
    a_key_has_its_rate()
    keys_give_no_more_than_they_have(one, two)
    roles_have_their_part(one)
    resellers_have_theirs(one, two)
    bounds_hold()
    local_socket()
    proxies_are_looked_behind()
    database_comes_back()
    database_goes_away()
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
