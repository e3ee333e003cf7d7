#!/usr/bin/env python3
"""A customer in one call: all of it or nothing, each fault named by its place.
Uses the same environment as contract.py."""
import hashlib
import sys

from behaviour import JSON, check, get, make_key, post, sql, world
from contract import Tally, call

COUNT = ("select (select count(*) from core.tenant) || ' ' || "
         "(select count(*) from core.account) || ' ' || "
         "(select count(*) from core.subscriber) || ' ' || "
         "(select count(*) from core.trunk) || ' ' || "
         "(select count(*) from core.trunk_credential) || ' ' || "
         "(select count(*) from core.source_address) || ' ' || "
         "(select count(*) from core.did) || ' ' || "
         "(select count(*) from core.change)")


def whole(n, **change):
    body = {
        "tenant": {"name": f"whole {n}", "currency": "EUR"},
        "account": {"name": "main", "type": "prepaid", "currency": "EUR"},
        "trunk": {"name": "pbx", "realm": "provision.example",
                  "channels": {"total": 5}},
        "credentials": [{"username": f"made{n}"},
                        {"username": f"given{n}", "password": "as I say"}],
        "ip_acls": [{"cidr": f"198.51.100.{n}/32"}],
        "dids": [{"e164": f"+49307771{n:02}"}],
    }
    body.update(change)
    return body


def refused(body, status, *pointers, key=None, path=""):
    before = sql(COUNT)
    answer = call("post", "/v1/provisionings" + path, body, JSON,
                  **({"key": key} if key else {}))
    named = [e["pointer"] for e in answer.json().get("errors", [])]
    check(answer.status == status and named == list(pointers),
          f"{pointers}: {answer.status} {answer.data[:400]!r}")
    check(sql(COUNT) == before, f"{pointers}: nothing is left of it")


def all_of_it():
    made = post("/v1/provisionings", whole(1))
    tenant, trunk = made["tenant"]["id"], made["trunk"]["id"]
    check(made["account"]["tenant_id"] == tenant and
          made["trunk"]["tenant_id"] == tenant and
          made["trunk"]["account_id"] == made["account"]["id"] and
          made["dids"][0]["trunk_id"] == trunk and
          made["dids"][0]["tenant_id"] == tenant and
          made["ip_acls"][0]["trunk_id"] == trunk and
          [c["username"] for c in made["credentials"]] ==
          ["made1", "given1"], f"they belong together: {made}")
    secrets = made["secrets"]
    check(len(secrets) == 1 and secrets[0]["username"] == "made1" and
          secrets[0]["credential_id"] == made["credentials"][0]["id"] and
          len(secrets[0]["password"]) == 24, f"one password: {secrets}")
    text = f"made1:provision.example:{secrets[0]['password']}"
    check(sql("select ha1_md5 from core.trunk_credential where id = "
              f"'{made['credentials'][0]['id']}'") ==
          hashlib.md5(text.encode()).hexdigest(), "it is the one that counts")
    check(get("/v1/trunks/" + trunk) == made["trunk"] and
          get("/v1/dids/" + made["dids"][0]["id"]) == made["dids"][0],
          "as their own resources show them")
    check(sql("select count(*) from core.audit where path = "
              "'/v1/provisionings' and object_id in "
              f"('{tenant}', '{trunk}', '{made['account']['id']}')") == "3",
          "each has its audit")


def at_sites():
    made = post("/v1/provisionings", whole(
        7, sites=[{"name": "Kiel", "channels": {"total": 2}, "cps": 1},
                  {"name": "Trier"}],
        credentials=[{"username": "made7", "site": "Trier"}],
        ip_acls=[{"cidr": "198.51.100.7/32", "site": "Kiel"}],
        dids=[{"e164": "+4930777107", "site": "Kiel"},
              {"e164": "+4930777108"}]))
    kiel, trier = (s["id"] for s in made["sites"])
    path = f"/v1/trunks/{made['trunk']['id']}/sites/{kiel}"
    check(get(path) == made["sites"][0] and made["sites"][0]["cps"] == 1,
          f"a site with its limits: {made['sites']}")
    check([made["credentials"][0]["site_id"], made["ip_acls"][0]["site_id"],
           made["dids"][0]["site_id"], made["dids"][1]["site_id"]] ==
          [trier, kiel, kiel, None], f"each at its place: {made}")


def who(name, city="Kiel"):
    return {"legal_name": name, "address": {
        "street": "Hafenstraße 5", "city": city, "country": "DE"}}


def by_law():
    made = post("/v1/provisionings", whole(
        8, subscribers=[who("Muster GmbH"), who("Bürgel AG", "Trier")],
        trunk={"name": "pbx", "realm": "provision.example",
               "subscriber": "Muster GmbH"},
        dids=[{"e164": "+4930777181", "subscriber": "Bürgel AG"},
              {"e164": "+4930777182"}]))
    muster, buergel = made["subscribers"]
    check(get("/v1/subscribers/" + buergel["id"]) == buergel and
          buergel["tenant_id"] == made["tenant"]["id"] and
          buergel["address"]["city"] == "Trier" and
          not buergel["is_verified"], f"as it is for its own: {buergel}")
    check([made["trunk"]["subscriber_id"], made["dids"][0]["subscriber_id"],
           made["dids"][1]["subscriber_id"]] ==
          [muster["id"], buergel["id"], None], f"whose each is: {made}")
    check(post("/v1/provisionings", whole(9))["subscribers"] == [],
          "nobody has to say it")
    refused(whole(2, subscribers=[who("A"), who("B"), who("B"),
                                  {"legal_name": "C"}],
                  trunk={"name": "pbx", "realm": "provision.example",
                         "subscriber": "D"},
                  dids=[{"e164": "+4930777120", "subscriber": "A",
                         "subscriber_id": "sbr_" + "0" * 26},
                        {"e164": "+4930777121", "subscriber": "B"}]), 422,
            "/subscribers/3/address/street", "/subscribers/3/address/city",
            "/subscribers/3/address/country", "/trunk/subscriber",
            "/dids/0/subscriber_id", "/dids/1/subscriber")
    # what only the database finds, after the subscriber was made
    refused(whole(2, subscribers=[who("A")], dids=[
        {"e164": "+4930777101", "subscriber": "A"}]), 409, "/dids/0/e164")
    refused(whole(2, subscribers=[who("A")], trunk={
        "name": "pbx", "subscriber_id": "sbr_" + "0" * 26}), 422,
        "/trunk/subscriber_id")


def or_nothing():
    refused(whole(2, sites=[{"name": "Kiel", "cps": -1}, {"name": "Trier"}],
                  dids=[{"e164": "+4930777120", "site": "Bonn"},
                        {"e164": "+4930777121", "site": "Trier",
                         "site_id": "sit_" + "0" * 26},
                        {"e164": "+4930777122", "site": 7}]), 422,
            "/sites/0/cps", "/dids/0/site", "/dids/1/site_id",
            "/dids/2/site")
    refused(whole(2, sites=[{"name": "Kiel"}, {"name": "Kiel"}]), 409,
            "/sites/1/name")
    refused(whole(2, trunk={"name": "pbx", "cps": -1}, dids=[
        {"e164": "+4930777120"}, {"e164": "nonsense"}]), 422,
        "/trunk/cps", "/dids/1/e164")
    refused({"account": {}, "nonsense": 1}, 422, "/nonsense", "/tenant",
            "/account/name", "/account/type", "/account/currency", "/trunk")
    refused(whole(2, dids=[{"e164": "+4930777120"},
                           {"e164": "+4930777101"}]), 409, "/dids/1/e164")
    refused(whole(2, credentials=[{"username": "made2"},
                                  {"username": "made1"}]), 409,
            "/credentials/1/username")
    refused(whole(2, trunk={"name": "pbx", "realm": "nowhere"}), 422,
            "/trunk/realm")
    refused(whole(2, trunk={"name": "pbx"}), 422, "/credentials/0/realm")
    refused(whole(2, account={
        "name": "m", "type": "prepaid", "currency": "EUR",
        "tenant_id": "ten_" + "0" * 26}), 422, "/account/tenant_id")
    refused(whole(2, dids={}), 422, "/dids")
    refused(whole(2, ip_acls=[7]), 422, "/ip_acls/0")


def tried_first():
    before = sql(COUNT)
    answer = call("post", "/v1/provisionings?dry_run=1", whole(3), JSON)
    check(answer.status == 201 and
          answer.headers["Strowger-Dry-Run"] == "true" and
          sql(COUNT) == before, f"a dry run: {answer.status}")
    refused(whole(3, dids=[{"e164": "+4930777101"}]), 409, "/dids/0/e164",
            path="?dry_run=1")


def done_once():
    headers = {"Idempotency-Key": "customer 4"}
    one, two = (call("post", "/v1/provisionings", whole(4), JSON,
                     headers=headers) for _ in range(2))
    first, second = one.json(), two.json()
    check(one.status == two.status == 201 and
          two.headers["Idempotency-Replayed"] == "true" and
          second["tenant"] == first["tenant"] and
          second["secrets"] is None and first["secrets"],
          f"the same again, without secrets: {two.data[:300]!r}")
    check(first["secrets"][0]["password"] not in sql(
        "select string_agg(body, '') from core.idempotency"),
        "they are not kept")


def resellers_do_it(one):
    key = make_key("r", "reseller", one[0]["id"])
    made = post("/v1/provisionings", whole(5), key)
    check(made["tenant"]["parent_id"] == one[0]["id"], "below itself")
    refused(whole(6, account={"name": "m", "type": "prepaid",
                              "currency": "EUR", "credit_limit": "5"}),
            403, "/account/credit_limit", key=key)
    refused(whole(6, subscribers=[{**who("A"), "is_verified": True,
                                   "verified_by": "me"}]), 403,
            "/subscribers/0/is_verified", "/subscribers/0/verified_by",
            key=key)
    key = make_key("w", "tenant:write", one[0]["id"])
    refused(whole(6), 403, key=key)


def main():
    one = world("provision")
    all_of_it()
    at_sites()
    by_law()
    or_nothing()
    tried_first()
    done_once()
    resellers_do_it(one)
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
