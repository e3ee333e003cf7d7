#!/usr/bin/env python3
"""Decision URLs: the secret comes once and is sealed, rotation, whose rows may
be named, addresses that are not public. Uses the same environment as
contract.py; that the switch asks them is shown by the talk scripts."""
import sys

from behaviour import ANY, JSON, check, get, make_key, patch, post, world
from contract import Tally, call
from contract import psql as sql
from webhook import Other

PATH = "/v1/decision-urls"
URL = "http://127.0.0.1:9/calls"


def secret_box(row):
    return sql(f"select secret_box from core.decision_url "
               f"where id = '{row['id']}'")


def pointers(problem):
    return [e["pointer"] for e in problem.get("errors", [])]


def refused(body, pointer, key=None, status=422):
    more = {"key": key} if key else {}
    problem = post(PATH, body, status=status, **more)
    check(pointer in pointers(problem), f"{pointer} in {problem}")
    return problem


def secrets_come_once(tenant, trunk):
    row = post(PATH, {"tenant_id": tenant, "trunk_id": trunk, "url": URL})
    path = f"{PATH}/{row['id']}"
    secret = row["secret"]
    check(secret.startswith("whsec_") and row["is_signed"] and
          row["conditions"] == ["busy", "no_answer", "unreachable",
                                "rejected", "failure"] and
          row["timeout_ms"] == 2000 and row["fallback"] == "continue",
          f"signed unless it is said otherwise: {row}")
    check(get(path)["secret"] is None, "and shown once")
    check(sql("select count(*) from core.decision_url t where "
              f"encode(secret_box, 'escape') like '%{secret[6:20]}%' or "
              f"to_jsonb(t)::text like '%{secret[6:]}%'") == "0",
          "the database does not have it")
    check(sql("select count(*) from core.audit where after::text like "
              f"'%{secret[6:]}%' or after::text like '%secret_box%'") == "0",
          "nor has the audit")

    other = post(path + "/rotate", {"overlap_s": 60}, status=200)
    check(other["secret"] not in (None, secret) and
          other["previous_secret_until"], f"rotated: {other}")
    was = secret_box(row)
    check(patch(path, {"timeout_ms": 700})["secret"] is None and
          secret_box(row) == was, "a change leaves it alone")
    plain = patch(path, {"is_signed": False})
    check(not plain["is_signed"] and not plain["previous_secret_until"] and
          secret_box(row) == "", "without signature no secret stays")
    check(pointers(patch(path, {"is_signed": True}, status=422)) ==
          ["/is_signed"], "a rotation makes one")
    check(post(path + "/rotate", {}, status=200)["is_signed"],
          "and it is signed")
    check(call("delete", path, headers=ANY).status == 204, "deleted")
    row = post(PATH, {"tenant_id": tenant, "trunk_id": trunk, "url": URL,
                      "is_signed": False})
    check(row["secret"] is None and secret_box(row) == "", "none was wanted")
    again = refused({"tenant_id": tenant, "trunk_id": trunk, "url": URL},
                    "/trunk_id", status=409)
    check(row["id"] in str(again), f"one of a trunk: {again}")
    call("delete", f"{PATH}/{row['id']}", headers=ANY)


def what_it_may_say(tenant, trunk):
    good = {"tenant_id": tenant, "trunk_id": trunk, "url": URL}
    for more, pointer in (
            ({"url": "ftp://example.net/"}, "/url"),
            ({"url": "https://u:p@example.net/"}, "/url"),
            ({"conditions": []}, "/conditions"),
            ({"conditions": ["sometimes"]}, "/conditions"),
            ({"timeout_ms": 50}, "/timeout_ms"),
            ({"timeout_ms": 20000}, "/timeout_ms"),
            ({"fallback": "ring"}, "/fallback"),
            ({"fallback": "forward"}, "/fallback_number"),
            ({"fallback_number": "+4930123"}, "/fallback_number"),
            ({"fallback": "forward", "fallback_number": "+4930123",
              "fallback_trunk_id": trunk}, "/fallback_number"),
            ({"trunk_id": None}, "/did_id"),
            ({"secret": "whsec_AAAA"}, "/secret")):
        refused({**good, **more}, pointer)
    before = get(PATH)["data"]
    dry = call("post", PATH + "?dry_run=1", good, JSON)
    check(dry.status == 201 and dry.json()["secret"] is None and
          get(PATH)["data"] == before, f"a dry run makes none: {dry.data}")


def tenants_are_apart(one, two):
    key = make_key("d", "tenant:write", one[0]["id"])
    mine = post(PATH, {"tenant_id": one[0]["id"], "trunk_id": one[2]["id"],
                       "url": URL}, key)
    check(mine["secret"], "a customer makes its own")
    for more, pointer in (({"tenant_id": two[0]["id"]}, "/tenant_id"),
                          ({"trunk_id": two[2]["id"]}, "/trunk_id"),
                          ({"fallback": "forward",
                            "fallback_trunk_id": two[2]["id"]},
                           "/fallback_trunk_id")):
        refused({"tenant_id": one[0]["id"], "trunk_id": one[2]["id"],
                 "url": URL, **more}, pointer, key)
    theirs = post(PATH, {"tenant_id": two[0]["id"], "trunk_id": two[2]["id"],
                         "url": URL})
    path = f"{PATH}/{theirs['id']}"
    get(path, key, 404)
    post(path + "/rotate", {}, key, 404)
    check(call("delete", path, key=key, headers=ANY).status == 404,
          "others' are not there")
    check([r["id"] for r in get(PATH, key)["data"]] == [mine["id"]],
          "nor in the list")
    for row in (mine, theirs):
        call("delete", f"{PATH}/{row['id']}", headers=ANY)


def private_addresses_are_refused(tenant, trunk):
    other = Other(allow_private="false")
    for url in (URL, "http://localhost/", "http://[::1]/",
                "http://169.254.169.254/latest"):
        status, problem = other.ask(PATH, "POST", {
            "tenant_id": tenant, "trunk_id": trunk, "url": url})
        check(status == 422 and pointers(problem) == ["/url"],
              f"{url}: {status} {problem}")
    other.end()


def main():
    one, two = world("decides"), world("other")
    ids = one[0]["id"], one[2]["id"]
    secrets_come_once(*ids)
    what_it_may_say(*ids)
    tenants_are_apart(one, two)
    private_addresses_are_refused(*ids)
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
