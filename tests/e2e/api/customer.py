#!/usr/bin/env python3
"""Who a customer is, and what customers do not see of themselves: subscribers,
and what we earn. Uses the same environment as contract.py."""
import sys

from behaviour import ANY, JSON, check, get, make_key, post, sql, world
from contract import KEY, Tally, call


def change(path, body, key=KEY):
    return call("patch", path, body, JSON, key=key, headers=ANY)


def subscribers(one):
    tenant, key = one[0]["id"], make_key("owner", "tenant:write", one[0]["id"])
    trunk = "/v1/trunks/" + one[2]["id"]
    made = post("/v1/subscribers", {
        "tenant_id": tenant, "legal_name": "Muster GmbH",
        "address": {"street": "Weg 1", "city": "Bonn", "country": "DE"}}, key)
    path = "/v1/subscribers/" + made["id"]
    check(change(path, {"is_verified": True, "verified_by": "me"},
                 key).status == 403, "nobody verifies himself")
    refused = change(path, {"is_verified": True})
    check(refused.status == 422 and
          refused.json()["errors"][0]["pointer"] == "/verified_by",
          f"somebody has to have looked: {refused.data[:300]!r}")
    refused = change(path, {"contact": {"email": "nonsense"}}, key)
    check(refused.status == 422 and
          refused.json()["errors"][0]["pointer"] == "/contact/email",
          f"an address: {refused.data[:300]!r}")
    seen = change(path, {"is_verified": True,
                         "verified_by": "passport, M. Weber"}).json()
    check(seen["is_verified"] and seen["verified_at"], f"verified: {seen}")
    seen = change(path, {"contact": {"name": "Eva"}}, key).json()
    check(seen["is_verified"], "another contact changes nothing of that")
    check(change(trunk, {"subscriber_id": made["id"]}).status == 200,
          "of a trunk")
    check(call("delete", path, headers=ANY).status == 409, "then it stays")
    seen = change(path, {"address": {"city": "Kiel"}}, key).json()
    check(not seen["is_verified"] and seen["verified_by"] is None and
          seen["verified_at"] is None, f"it moved: {seen}")
    check(sql("select count(*) from core.audit where object_id = "
              f"'{made['id']}' and before is not null") == "3",
          "each change has its audit")
    low = make_key("low", "tenant:read", tenant)
    check(call("get", path, key=low).status == 403 and
          call("get", trunk + "?expand=subscriber", key=low).status == 403,
          "who only reads does not read that")


def numbers_leave_them_behind(one, two):
    made = post("/v1/subscribers", {
        "tenant_id": one[0]["id"], "legal_name": "Muster GmbH",
        "address": {"street": "Weg 1", "city": "Bonn", "country": "DE"}})
    did = post("/v1/dids", {
        "e164": "+4930778000", "e164_last": "+4930778009",
        "tenant_id": one[0]["id"], "trunk_id": one[2]["id"],
        "subscriber_id": made["id"]})
    refused = change("/v1/dids/" + did["id"], {
        "tenant_id": two[0]["id"], "trunk_id": two[2]["id"]})
    check(refused.status == 422 and
          refused.json()["errors"][0]["pointer"] == "/subscriber_id",
          f"it is another tenant's: {refused.data[:300]!r}")
    part = call("post", f"/v1/dids/{did['id']}/split", {
        "first": "+4930778003", "last": "+4930778004",
        "tenant_id": two[0]["id"], "trunk_id": two[2]["id"]}, JSON,
        headers=ANY).json()
    check(part["subscriber_id"] is None and
          get("/v1/dids/" + did["id"])["subscriber_id"] == made["id"],
          f"a part that goes leaves it behind: {part}")


def nobody_sees_what_we_earn(one):
    path = "/v1/trunks/" + one[2]["id"]
    key = make_key("customer", "tenant:write", one[0]["id"])
    reseller = make_key("reseller", "reseller", one[0]["id"])
    earned = {"markup": "0.150000", "markup_per_min": "0.001000000"}
    ours = change(path, earned).json()
    check({k: ours[k] for k in earned} == earned, f"we do: {ours}")
    for k in (key, reseller):
        shown = [get(path, k), get("/v1/trunks", k)["data"][0],
                 get(path + "/sites?expand=trunk", k)["data"][0]["trunk"]]
        check(all(row["markup"] is None and row["markup_per_min"] is None
                  for row in shown), f"they do not: {shown}")
        check(call("get", path + "?sort=markup", key=k).status == 400,
              "nor in an order")
    check(get(path)["markup"] == "0.150000", "and it is still what it was")
    made = post("/v1/provisionings", {
        "tenant": {"name": "below", "currency": "EUR"},
        "account": {"name": "main", "type": "prepaid", "currency": "EUR"},
        "trunk": {"name": "pbx"}}, reseller)
    path = "/v1/trunks/" + made["trunk"]["id"]
    change(path, earned)
    seen = change(path, {"name": "other"}, reseller).json()
    check(made["trunk"]["markup"] is None and seen["markup"] is None and
          seen["name"] == "other", f"nor when it is made or changed: {seen}")
    check(get(path)["markup"] == "0.150000", "and that leaves it alone")


def nobody_sees_whose_deck():
    tenant = "ten_" + "x" * 26
    path = "/v1/cdrs/06e8b1d2-7c3a-7d4e-8f50-123456789abc"
    ours = [c for c in get(path)["charges"] if c["side"] == "sell"]
    check(ours[0]["rate_deck_id"] == "dck_x" and
          ours[0]["rate_deck_version"] == 1, f"we know: {ours}")
    # of its own attempt: behaviour.py left one of an account that is gone
    theirs = [c for c in get(path, make_key("of x", "tenant:read", tenant))[
        "charges"] if c["attempt"] == 0]
    check(len(theirs) == 1 and theirs[0]["amount"] == "0.013200" and
          theirs[0]["rate_deck_id"] is None and
          theirs[0]["rate_deck_version"] is None,
          f"a price made of a cost does not tell whose: {theirs}")


def no_report_of_ages():
    """A tenant does not stall the database with a span of centuries."""
    key = make_key("reader", "tenant:read", "ten_" + "x" * 26)
    path = "/v1/reports/channel_use?from=2025-01-01T00:00:00Z&to="
    check(call("get", path + "2026-02-05T00:00:00Z", key=key).status == 200,
          "400 days are well")
    said = call("get", path + "9999-01-01T00:00:00Z", key=key)
    check(said.status == 400 and said.json()["errors"] == [{
        "pointer": "/to", "code": "out_of_range",
        "value": "9999-01-01T00:00:00Z",
        "detail": "must be at most 400 days after from"}], said.data)
    span = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
    for query, wrong in (
            ("from=2026-01-01&to=2026-01-02T00:00:00Z",
             ("/from", "bad_form", "2026-01-01")),
            ("from=2026-01-01T00:00:00Z", ("/to", "required", None)),
            ("from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z",
             ("/to", "out_of_range", "2026-01-02T00:00:00Z")),
            (span + "&direction=up", ("/direction", "bad_form", "up")),
            (span + "&rows=0", ("/rows", "bad_form", "0")),
            (span + "&time_zone=Berlin", ("/time_zone", "unknown", "Berlin"))):
        said = call("get", "/v1/reports/trend?" + query, key=key)
        error = said.json()["errors"][0]
        check(said.status == 400 and
              (error["pointer"], error["code"], error.get("value")) == wrong
              and error["detail"], f"{query}: {said.data!r}")


def main():
    one, two = world("customer"), world("neighbour")
    subscribers(one)
    numbers_leave_them_behind(one, two)
    post(f"/v1/trunks/{one[2]['id']}/sites", {"name": "Bonn"})
    nobody_sees_what_we_earn(one)
    nobody_sees_whose_deck()
    no_report_of_ages()
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
