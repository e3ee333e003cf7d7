#!/usr/bin/env python3
"""Bills over REST: charges, a run as a job, drafts, issue, forms, credit notes,
void, payments, statement, aging; what a tenant's key may. Uses the same
environment as contract.py."""
import concurrent.futures
import os
import shutil
import sys
import time
import xml.etree.ElementTree as xml

from contract import KEY, READ_KEY, Tally, call
from contract import psql as sql

JSON = "application/json"
check = Tally.check
TENANT = "ten_" + "y" * 26
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:" \
    "CommonBasicComponents-2}"


def post(path, body=None, status=201, key=KEY):
    answer = call("post", path, body, JSON if body is not None else None, key)
    check(answer.status == status,
          f"POST {path}: {answer.status} {answer.data[:300]!r}")
    return answer


def get(path, status=200, key=KEY):
    answer = call("get", path, key=key)
    check(answer.status == status,
          f"GET {path}: {answer.status} {answer.data[:200]!r}")
    return answer


def world():
    tax = post("/v1/tax-profiles", {"name": "DE", "lines": [
        {"name": "VAT", "percent": "19"}]}).json()["id"]
    account = post("/v1/accounts", {
        "tenant_id": TENANT, "name": "Billed", "type": "postpaid",
        "currency": "EUR", "credit_limit": "1000",
        "tax_profile_id": tax}).json()["id"]
    seller = post("/v1/sellers", {
        "name": "Seller & Sons", "city": "Berlin", "country": "DE",
        "vat_id": "DE123456789", "number_prefix": "E-"}).json()["id"]
    post("/v1/billing-profiles", {
        "account_id": account, "seller_id": seller, "name": "Buyer",
        "city": "Bonn", "country": "DE"})
    post("/v1/charges", {
        "account_id": account, "kind": "service", "name": "Setup",
        "amount": "10.005", "every": "once", "starts_on": "2026-03-05"})
    return account, seller


def run(seller, issue):
    path = post("/v1/invoice-runs", {
        "month": "2026-03-01", "seller_id": seller, "issue": issue},
        202).headers["Location"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = get(path).json()
        if job["finished_at"]:
            break
        time.sleep(0.05)
    check(job["status"] == "done" and job["progress"]["done"] == 1,
          f"run: {job}")
    return job["result"]


def invoices(account):
    return get("/v1/invoices?account_id=" + account).json()["data"]


def prints(path):
    """Of three at once one is told to come again; nobody else waits for them."""
    hold = os.path.join(os.environ["API_DIR"], "print.hold")
    with open(hold, "w", encoding="ascii"):
        pass
    since = sql("select clock_timestamp()")
    seen = ("select count(*) from pg_stat_activity where query like "
            f"'SELECT billing.document%' and query_start > '{since}'")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        calls = []
        for n in range(3):
            # by then it has read what it prints, and keeps its thread
            until(lambda: sql(seen) == str(n))
            calls.append(pool.submit(call, "get", path + "/pdf", key=KEY))
        first = next(concurrent.futures.as_completed(calls)).result()
        check(first.status == 503 and first.json()["code"] == "busy",
              f"{first.status} {first.data[:200]!r}")
        check([c.done() for c in calls].count(False) == 2, "two are printed")
        get(path)
        os.remove(hold)
        check([c.result().status for c in calls].count(200) ==
              (2 if shutil.which("weasyprint") else 0), "and come")


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        check(time.monotonic() < end, "never")
        if time.monotonic() > end:
            break
        time.sleep(0.02)


def forms(row):
    path = "/v1/invoices/" + row["id"]
    doc = get(path + "/document").json()
    check(doc["totals"]["total"] == "11.91" and
          doc["balance"]["closing"] == "-11.91", f"{doc['totals']}")
    page = get(path + "/html")
    check(page.type == "text/html" and b"Seller &amp; Sons" in page.data and
          b"E-000001" in page.data, "a page")
    root = xml.fromstring(get(path + "/ubl").data)
    check(root.find(CBC + "ID").text == "E-000001" and
          next(root.iter(CBC + "PayableAmount")).text == "11.91", "UBL")
    check(get(path + "/annex").data.startswith(b"call_id,started_at,"),
          "an annex without calls")
    prints(path)
    pdf = call("get", path + "/pdf", key=KEY)
    if shutil.which("weasyprint"):
        check(pdf.data.startswith(b"%PDF-") and pdf.data.rstrip().endswith(
            b"%%EOF"), f"PDF, whole: {pdf.status}")
    else:
        check(pdf.status == 503 and pdf.json()["code"] == "no_pdf",
              f"{pdf.data[:200]!r}")


def main():
    account, seller = world()
    check(run(seller, False)["drafted"] == 1, "a draft")
    draft = invoices(account)[0]
    path = "/v1/invoices/" + draft["id"]
    check(draft["number"] is None and draft["total"] == "11.910000",
          f"10.005 is 10.01, and 1.90 of tax: {draft}")
    check(get(path + "/ubl", 409).json()["code"] == "not_expressible",
          "a draft has no number")
    post(path + "/void", status=409)
    check(call("delete", path, headers={"If-Match": "*"}).status == 204,
          "a draft goes")
    check(run(seller, True)["issued"] == 1, "issued at once")
    check(run(seller, True)["issued_before"] == 1, "once")
    row = invoices(account)[0]
    path = "/v1/invoices/" + row["id"]
    check(row["status"] == "issued" and row["number"] == "E-000001" and
          row["open"] == "11.910000", f"{row}")
    check(get("/v1/accounts/" + account).json()["balance"] == "-11.910000",
          "the ledger is the total")
    check(call("delete", path, headers={"If-Match": "*"}).status == 409,
          "what is issued stays")
    forms(row)

    get(path, 404, READ_KEY) if sql(
        "select tenant_id from core.api_key where name = 'low'") != TENANT \
        else get(path, 200, READ_KEY)
    post(path + "/credit-notes", {"lines": [{"n": 9, "amount": "1"}]}, 422)
    twice = post(path + "/credit-notes", {"lines": [
        {"n": 1, "amount": "1"}, {"n": 1, "amount": "2"}]}, 422).json()
    check([(e["pointer"], e["code"], e["value"]) for e in twice["errors"]] ==
          [("/lines/1/n", "repeated", 1)], f"{twice}")
    note = post(path + "/credit-notes", {"lines": [
        {"n": 1, "amount": "1"}], "note": "Half"}).json()
    check(note["kind"] == "credit_note" and note["total"] == "1.190000" and
          note["number"] == "E-000002", f"{note}")
    post("/v1/accounts/" + account + "/payments", {"amount": "10.72"})
    row = get(path).json()
    check(row["status"] == "paid" and row["open"] == "0.000000", f"{row}")
    post(path + "/void", status=409)

    rows = get(f"/v1/accounts/{account}/statement?from=2026-01-01T00:00:00Z"
               "&to=2100-01-01T00:00:00Z").json()["data"]
    check(rows[0]["kind"] == "opening" and rows[-1]["balance"] == "0.000000"
          and [r["kind"] for r in rows[1:]] == ["charge", "rounding",
                                                "credit_note", "payment"],
          f"{rows}")
    for query, wrong in (("to=2026-01-01T00:00:00Z", ("/from", None)),
                         ("from=2026-01-01T00:00:00Z&to=soon", ("/to", "soon")),
                         ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
                          ("/to", "2026-01-01T00:00:00Z"))):
        said = get(f"/v1/accounts/{account}/statement?{query}", 400).json()
        check((said["errors"][0]["pointer"], said["errors"][0].get("value")) ==
              wrong, f"{query}: {said}")
    debts = [r for r in get("/v1/aging").json()["data"]
             if r["account_id"] == account]
    check(len(debts) == 1 and debts[0]["open"] == "0.000000", f"{debts}")
    check(sql("select count(*) from billing.check_ledger()") == "0",
          "documents are the ledger")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
