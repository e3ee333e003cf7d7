#!/usr/bin/env python3
"""Hold a running API to its contract.

Replays every operation of /openapi.json with its example, validates each
answer against the schema, and provokes every documented refusal that needs no
broken machine. Ids in the examples are replaced by those that the server
really gave.

    API_URL=http://127.0.0.1:8080 API_KEY=sk_... API_READ_KEY=sk_... \
    API_OWNER='host=... dbname=strowger' contract.py

API_KEY is of the platform, API_READ_KEY of a tenant, API_OWNER the database's.

The database must be empty; what is made here is deleted again.
"""
import decimal
import functools
import http.client
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import warnings

import jsonschema

# the Debian package knows no other resolver yet
warnings.filterwarnings("ignore", category=DeprecationWarning)

URL = urllib.parse.urlsplit(os.environ["API_URL"])
KEY = os.environ["API_KEY"]
READ_KEY = os.environ["API_READ_KEY"]
VERBOSE = "-v" in sys.argv[1:]
METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = "application/problem+json"
NOBODY = "0" * 26
# bindings and live calls
UNVERSIONED = {"registration_delete", "call_drop"}


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.data = response.read()
        self.type = (response.headers.get("Content-Type") or
                     "").split(";")[0]

    def json(self):
        return json.loads(self.data)


def call(method, path, body=None, media=None, key=KEY, headers=()):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(URL.hostname, URL.port,
                                            timeout=30)
    sent = dict(headers)
    if key:
        sent["Authorization"] = "Bearer " + key
    if media:
        sent["Content-Type"] = media
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    connection.request(method.upper(), path, body=body, headers=sent)
    try:
        return Answer(connection.getresponse())
    finally:
        connection.close()


@functools.cache
def owner():
    # to start workers takes longer than to read tables of a few rows
    return subprocess.Popen(
        ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", os.environ["API_OWNER"]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PGOPTIONS": "-c jit=off "
             "-c max_parallel_workers_per_gather=0"})


def psql(text):
    """As the owner of the database, past the API; one session for all."""
    owner().stdin.write(text + ";\n\\echo --end--\n")
    owner().stdin.flush()
    lines = []
    while True:
        line = owner().stdout.readline()
        if not line:
            raise RuntimeError("psql refuses: " + text)
        if line == "--end--\n":
            return "".join(lines).strip()
        lines.append(line)


ID = re.compile(r"[a-z]{3}_[0-9a-z]{26}")


tables = functools.cache(psql)


def amount(value):
    """Something that sorts as the member does: no number counts as 0."""
    is_decimal = isinstance(value, str) and \
        re.fullmatch(r"-?\d+\.\d+", value)
    return decimal.Decimal(value or 0) if is_decimal or value is None \
        else value


class Tally:
    passed = failed = 0

    @classmethod
    def check(cls, good, what):
        if good:
            cls.passed += 1
            if VERBOSE:
                print("ok", what)
        else:
            cls.failed += 1
            print("not ok", what)
        return good


class Operation:
    """One operation of the document, with its parameters resolved."""

    def __init__(self, contract, method, path, item, op):
        self.contract = contract
        self.method, self.path, self.op = method, path, op
        self.id = op["operationId"]
        self.params = [contract.resolve(p) for p in
                       item.get("parameters", []) + op.get("parameters", [])]
        body = contract.resolve(op.get("requestBody", {}))
        self.content = body.get("content", {})
        self.media = next(iter(self.content), None)
        self.codes = set(op["responses"])
        self.scope = op["x-scope"]
        names = {p["name"] for p in self.params}
        self.is_write = "dry_run" in names
        # whatever the version is: the tests of If-Match send their own
        self.headers = {"If-Match": "*"} if op.get("x-if-match") == \
            "required" else {}

    def raw(self):
        """The example of the body as the document has it."""
        return self.content[self.media]["example"] if self.media else None

    def example(self):
        return self.contract.real(self.raw())

    def shown(self):
        """The example of the answer of what it makes."""
        spec = next((self.op["responses"][c] for c in ("201", "202")
                     if c in self.op["responses"]), {})
        return spec.get("content", {}).get("application/json", {}).get(
            "example", {})

    def url(self, real=True, extra=""):
        path = self.path
        query = {}
        for p in self.params:
            if p["in"] == "path":
                value = self.contract.real(p["example"])
                if not real:
                    value = self.contract.nobody(value)
                path = path.replace("{%s}" % p["name"],
                                    urllib.parse.quote(value, safe=""))
            elif p["in"] == "query" and p.get("required"):
                query[p["name"]] = p["example"]
        text = urllib.parse.urlencode(query) + extra
        return path + ("?" + text if text else "")

    def run(self, **kw):
        args = {"body": self.example(), "media": self.media,
                "headers": self.headers}
        real, extra = kw.pop("real", True), kw.pop("extra", "")
        args.update(kw)
        return call(self.method, self.url(real, extra), **args)

    def expect(self, answer, status, why=""):
        """The answer has this status, is documented, and fits its schema."""
        name = f"{self.id} {status}{' ' + why if why else ''}"
        if not Tally.check(answer.status == status,
                           f"{name}: got {answer.status} "
                           f"{answer.data[:300]!r}"):
            return False
        spec = self.op["responses"].get(str(status))
        if not Tally.check(spec is not None, f"{name}: not documented"):
            return False
        return self.fits(answer, self.contract.resolve(spec), name)

    def fits(self, answer, spec, name):
        headers = spec.get("headers", {})
        if "Strowger-Dry-Run" in answer.headers:
            headers = ()
        for header in headers:
            Tally.check(header in answer.headers,
                        f"{name}: header {header} is missing")
        Tally.check("X-Request-Id" in answer.headers, f"{name}: request id")
        content = spec.get("content")
        if not content:
            return Tally.check(not answer.data, f"{name}: no body")
        if not Tally.check(answer.type in content,
                           f"{name}: media type {answer.type}"):
            return False
        if "json" not in answer.type:
            return True
        return self.contract.valid(answer.json(),
                                   content[answer.type]["schema"], name)


class Contract:
    def __init__(self, doc):
        self.doc = doc
        # nothing is sent beyond loopback
        self.ids = {"https://hooks.example.net/strowger":
                    "http://127.0.0.1:9/strowger"}
        self.resolver = jsonschema.RefResolver("", doc)
        self.operations = [
            Operation(self, m, path, item, item[m])
            for path, item in doc["paths"].items()
            for m in METHODS if m in item]
        self.by_id = {op.id: op for op in self.operations}

    def resolve(self, node):
        while "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def valid(self, value, schema, name):
        validator = jsonschema.Draft202012Validator(
            schema, resolver=self.resolver)
        faults = [f"{list(e.absolute_path)}: {e.message[:200]}"
                  for e in validator.iter_errors(value)]
        return Tally.check(not faults, f"{name}: schema {faults[:3]}")

    def real(self, value):
        """An example with the ids of this server."""
        if isinstance(value, str):
            return self.ids.get(value, value)
        if isinstance(value, list):
            return [self.real(v) for v in value]
        if isinstance(value, dict):
            return {k: self.real(v) for k, v in value.items()}
        return value

    @staticmethod
    def nobody(value):
        """A value of the same form that names nothing."""
        if ID.fullmatch(value):
            return value[:4] + NOBODY
        if re.fullmatch(r"[0-9a-f-]{36}", value):
            return "00000000-0000-7000-8000-000000000000"
        return "999999" if value.isdigit() else "nobody"

    # --- good weather ---------------------------------------------------

    def create_all(self):
        for op in self.operations:
            if op.method not in ("post", "put"):
                continue
            status = next(c for c in (201, 202, 200) if str(c) in op.codes)
            if op.id == "account_transfer_create":
                self.sibling(op)
            if op.id in ("invoice_issue", "invoice_void", "invoice_credit"):
                self.invoice(op)
            if op.id == "dead_letter_discard":
                psql("update cdr.dead_letter set discarded_at = null")
            answer = op.run()
            if not op.expect(answer, status) or status == 200:
                continue
            made = answer.json()
            shown = op.shown()
            if "id" in shown:
                self.ids[shown["id"]] = made["id"]
            self.learn(shown.get("args", {}), made.get("args", {}))
            self.same(shown, made, op.id)
            if op.id == "provisioning_create":
                self.undo(made)
            location = answer.headers.get("Location")
            if location:
                again = call("get", location)
                # what is shown once is not shown again
                Tally.check(again.status == 200 and (
                    all(v == made.get(k) or k == "secret" and v is None
                        for k, v in again.json().items()) and
                    again.headers["ETag"] == answer.headers["ETag"] or
                    status == 202 and again.json()["id"] == made["id"]),
                            f"{op.id}: Location gives the same row")
            if status == 202:
                self.job_ends(op, location)

    def sibling(self, op):
        """A second account of the tenant, to transfer to."""
        first = op.url().split("/")[3]
        other = first[:4] + first[4:][::-1]
        psql("insert into core.account (id, tenant_id, name, type, currency) "
             f"select '{other}', tenant_id, 'office', type, currency from "
             f"core.account where id = '{first}' on conflict do nothing")
        self.ids[op.raw()["to_account_id"]] = other

    def invoice(self, op):
        """One that can be issued, or is issued, of an account of its own."""
        shown = next(p["example"] for p in op.params
                     if p["name"] == "invoice_id")
        seller = psql("select id from billing.seller limit 1")
        n = str(time.time_ns()).rjust(26, "0")
        psql(f"insert into core.account (id, tenant_id, name, type, currency) "
             f"select 'acc_{n}', id, '{op.id}', 'postpaid', 'EUR' from "
             f"core.tenant order by created_at limit 1; "
             f"insert into billing.profile (id, account_id, seller_id, name, "
             f"city, country) values ('bpr_{n}', 'acc_{n}', '{seller}', "
             f"'Buyer', 'Bonn', 'DE'); "
             f"insert into billing.charge (id, account_id, kind, name, "
             f"amount_micro, every, starts_on) values ('chg_{n}', 'acc_{n}', "
             f"'service', 'Setup', 9000000, 'once', '2026-03-01')")
        self.ids[shown] = psql(f"select billing.draft('acc_{n}', "
                               "'2026-03-01', '2026-04-02Z')")
        if op.id != "invoice_issue":
            psql(f"select billing.issue('{self.ids[shown]}', '2026-04-02Z')")

    def learn(self, shown, made):
        """Ids of what a job is about."""
        for name, value in shown.items():
            if isinstance(value, str) and ID.fullmatch(value) and name in made:
                self.ids.setdefault(value, made[name])

    @staticmethod
    def undo(made):
        """What one POST made of many rows goes, so that it can come again."""
        trunk = "/v1/trunks/" + made["trunk"]["id"]
        for path in ([f"/v1/dids/{r['id']}" for r in made["dids"]] +
                     [f"{trunk}/ip-acls/{r['id']}" for r in made["ip_acls"]] +
                     [f"{trunk}/credentials/{r['id']}"
                      for r in made["credentials"]] +
                     [trunk] + [f"/v1/subscribers/{r['id']}"
                                for r in made["subscribers"]] +
                     ["/v1/accounts/" + made["account"]["id"],
                      "/v1/tenants/" + made["tenant"]["id"]]):
            answer = call("delete", path, headers={"If-Match": "*"})
            Tally.check(answer.status == 204, f"DELETE {path}: "
                        f"{answer.status} {answer.data[:200]!r}")

    @staticmethod
    def job_ends(op, location):
        deadline = time.monotonic() + 20
        job = call("get", location).json()
        while not job["finished_at"] and time.monotonic() < deadline:
            time.sleep(0.05)
            job = call("get", location).json()
        Tally.check(job["status"] == "done", f"{op.id}: the job {job}")

    def same(self, shown, made, name):
        """The documented answer is what comes, but for ids and times."""
        for member, value in self.real(shown).items():
            if member in ("id", "created_at", "updated_at"):
                continue
            Tally.check(made.get(member) == value,
                        f"{name}: {member} is {made.get(member)!r}, the "
                        f"document says {value!r}")

    def dry_all(self, when):
        """?dry_run=1 answers as the write would, and nothing moves."""
        for op in self.operations:
            if not op.is_write:
                continue
            before = self.everything()
            more = ("&" if "?" in op.url() else "") + "dry_run=1"
            answer = op.run(extra=more, headers={
                **op.headers, "Idempotency-Key": "dry " + op.id})
            moved = self.moved(before)
            Tally.check(not moved, f"{op.id}: dry_run moved {moved}, {when}")
            if not op.expect(answer, answer.status, f"dry, {when}"):
                continue
            Tally.check(answer.status >= 400 or
                        answer.headers["Strowger-Dry-Run"] == "true" and
                        not {"ETag", "Location", "Strowger-Version"} &
                        set(answer.headers),
                        f"{op.id}: a dry answer, {when}")

    @staticmethod
    def everything():
        """Table -> hash of its rows, but of when a key was last used. What
        pg_class says in which order changes by itself."""
        names = tables("select c.oid::regclass from pg_class c join "
                     "pg_namespace n on n.oid = c.relnamespace where "
                     "n.nspname in ('core', 'cdr', 'billing', 'rating', "
                     "'report') and c.relkind in "
                     "('r', 'p') and c.oid <> 'core.api_key'::regclass")
        return dict(line.split("|") for line in psql(" union all ".join(
            f"select '{name}', md5(coalesce(string_agg(t::text, ';' "
            f"order by t::text), '')) from {name} t"
            for name in names.split())).splitlines())

    def moved(self, before):
        """Names of the tables that are not what they were."""
        after = self.everything()
        return sorted(n for n in before.keys() | after.keys()
                      if before.get(n) != after.get(n))

    def repeat_all(self):
        """A POST with its Idempotency-Key gives the same answer twice."""
        for op in self.operations:
            if op.method != "post" or not op.is_write:
                continue
            key = {"Idempotency-Key": "twice " + op.id}
            self.in_flight(op, key)
            first = op.run(headers=key)
            self.jobs_end()
            before = self.everything()
            second = op.run(headers=key)
            Tally.check(first.status >= 300 or before == self.everything(),
                        f"{op.id}: it was done once")
            self.another(op, key, first.status)
            good = first.status == second.status and \
                ("Idempotency-Replayed" in second.headers) == \
                (first.status < 300)
            if first.status < 300:
                one, two = first.json(), second.json()
                # a secret made here is shown once
                good = good and all(
                    second.headers.get(h) == first.headers.get(h)
                    for h in ("ETag", "Location")) and \
                    {m: one.get(m) for m in two if two[m] is not None} == \
                    {m: v for m, v in two.items() if v is not None}
            Tally.check(good, f"{op.id}: repeated: {first.status} "
                        f"{second.status} {second.data[:200]!r}")
            if op.id == "provisioning_create" and first.status == 201:
                self.undo(first.json())
            if first.status == 201 and first.headers.get("Location"):
                call("delete", first.headers["Location"],
                     headers={"If-Match": "*"})

    @staticmethod
    def jobs_end():
        """So that nothing moves by itself."""
        deadline = time.monotonic() + 60
        while psql("select count(*) from core.job where status in "
                   "('queued', 'running')") != "0" and \
                time.monotonic() < deadline:
            time.sleep(0.05)

    @staticmethod
    def in_flight(op, key):
        """As if a request with this key were at work: it holds this lock."""
        psql("begin; select pg_advisory_xact_lock(hashtextextended("
             f"'core.idempotency key_{KEY.split('_')[1]} "
             f"{key['Idempotency-Key']}', 0))")
        answer = op.run(headers=key)
        psql("rollback")
        if op.expect(answer, 409, "in flight"):
            Tally.check(answer.json()["code"] == "in_flight" and
                        answer.headers["Retry-After"] == "1",
                        f"{op.id}: {answer.data[:200]!r}")

    def another(self, op, key, first):
        """The key of a POST that was done, with another body."""
        if first >= 300 or not op.media:
            return
        body = op.example()
        body = body + "\n" if isinstance(body, str) else \
            json.dumps(body, indent=1)
        before = self.everything()
        op.expect(op.run(headers=key, body=body), 422, "another body")
        Tally.check(before == self.everything(),
                    f"{op.id}: another body does nothing")

    def read_all(self):
        for op in self.operations:
            if op.method == "get":
                op.expect(op.run(), 200)

    def page_all(self):
        """limit=1 and cursors walk through every row, once and in order."""
        for op in self.operations:
            names = [p["name"] for p in op.params]
            if op.method != "get" or "cursor" not in names:
                continue
            more = "&" if any(p.get("required") and p["in"] == "query"
                              for p in op.params) else ""
            whole = op.run(extra=more + "limit=500").json()["data"]
            rows, cursor, steps = [], "", 0
            while steps < 500:
                page = op.run(extra=more + "limit=1" + cursor)
                if not op.expect(page, 200, "page"):
                    break
                page = page.json()
                rows += page["data"]
                steps += 1
                if not page["has_more"]:
                    break
                cursor = "&cursor=" + urllib.parse.quote(page["next_cursor"])
            Tally.check(rows == whole, f"{op.id}: pages of one row")
            op.expect(op.run(extra=more + "cursor=bm9uc2Vuc2U"), 400,
                      "foreign cursor")
            op.expect(op.run(extra=more + "limit=0"), 400, "limit=0")

    def shape_all(self):
        """sort, ranges, fields and expand of whatever has them."""
        for op in self.operations:
            schema = {p["name"]: p["schema"] for p in op.params
                      if p["in"] == "query"}
            if op.method != "get" or "fields" not in schema:
                continue
            more = "&" if "?" in op.url() else ""
            whole = op.run(extra=more + "limit=500" if "limit" in schema
                           else "").json()
            rows = whole.get("data", [whole])
            for order in schema.get("sort", {}).get("enum", []):
                self.sorted(op, more, order, rows)
            for name in schema:
                if name.endswith("[gte]") and name not in {
                        p["name"] for p in op.params if p.get("required")}:
                    self.ranged(op, more, name[:-5], rows)
            if rows:
                name = sorted(rows[0])[0]
                cut = op.run(extra=more + "fields=" + name).json()
                cut = cut.get("data", [cut])[0]
                Tally.check(set(cut) == {name}, f"{op.id}: fields {cut}")
            op.expect(op.run(extra=more + "fields=nonsense"), 400, "fields")
            if "expand" in schema:
                names = schema["expand"]["examples"][0]
                answer = op.run(extra=more + "expand=" + names)
                if op.expect(answer, 200, "expand"):
                    whole = answer.json()
                    for row in whole.get("data", [whole]):
                        self.expanded(op, row, names.split(","))
                op.expect(op.run(extra=more + "expand=nonsense"), 400,
                          "expand")

    @staticmethod
    def expanded(op, row, names):
        for name in names:
            there = row[name]["id"] if row[name] and "id" in row[name] \
                else row[name] and row[name + "_id"]
            Tally.check(there == row[name + "_id"],
                        f"{op.id}: expand={name} gives {row[name]}")

    def sorted(self, op, more, order, rows):
        name, got, cursor = order.lstrip("-"), [], ""
        while len(got) <= len(rows):
            page = op.run(extra=f"{more}limit=2&sort={order}{cursor}")
            if not op.expect(page, 200, "sort=" + order):
                return
            got += page.json()["data"]
            if not page.json()["has_more"]:
                break
            cursor = "&cursor=" + page.json()["next_cursor"]
        values = [amount(row[name]) for row in got]
        Tally.check(values == sorted(values, reverse=order[0] == "-") and
                    sorted(map(str, got)) == sorted(map(str, rows)),
                    f"{op.id}: sort={order}: {values}")

    @staticmethod
    def ranged(op, more, name, rows):
        there = sorted((r[name] for r in rows if r.get(name) is not None),
                       key=amount)
        if not there:
            return
        middle = there[len(there) // 2]
        for end, want in (
                ("gte", [v for v in there if amount(v) >= amount(middle)]),
                ("lt", [v for v in there if amount(v) < amount(middle)])):
            page = op.run(extra=f"{more}limit=500&{name}%5B{end}%5D={middle}")
            got = sorted((r[name] for r in page.json().get("data", [])),
                         key=amount)
            Tally.check(got == want, f"{op.id}: {name}[{end}]: {got}")
        op.expect(op.run(extra=f"{more}{name}%5Bgte%5D=yesterday"), 400)

    def match_all(self):
        """A change of a row is refused without If-Match, and with that of
        another version: by every PUT, PATCH and DELETE but of what lives in
        the switch and has no version."""
        for op in self.operations:
            if op.method not in ("put", "patch", "delete") or \
                    op.id in UNVERSIONED:
                continue
            before = self.everything()
            op.expect(op.run(headers={}), 428, "without If-Match")
            for tag, what in (('"999999"', "a stale"), ('W/"1"', "a weak"),
                              ("1", "no"), ('"nonsense"', "no")):
                op.expect(op.run(headers={"If-Match": tag}), 412,
                          what + " tag")
            Tally.check(self.everything() == before,
                        f"{op.id}: nothing has changed")

    def patch_all(self):
        for op in self.operations:
            if op.method != "patch":
                continue
            before = call("get", op.url())
            etag = before.headers["ETag"]
            op.expect(op.run(headers={"If-Match": '"999999"'}), 412)
            op.expect(op.run(headers={"If-Match": "W/" + etag}), 412, "weak")
            if op.headers:
                op.expect(op.run(headers={}), 428)
            answer = op.run(headers={"If-Match": etag})
            if not op.expect(answer, 200):
                continue
            Tally.check(answer.headers["ETag"] != etag,
                        f"{op.id}: a change moves the ETag")
            again = call("get", op.url())
            Tally.check(again.json() == answer.json(),
                        f"{op.id}: GET shows what PATCH answered")
            known = call("get", op.url(), headers={
                "If-None-Match": '"x", W/' + again.headers["ETag"]})
            Tally.check(known.status == 304 and not known.data,
                        f"{op.id}: 304 for the same ETag: {known.status}")
            stale = call("get", op.url(), headers={"If-None-Match": etag})
            Tally.check(stale.status == 200, f"{op.id}: 200 for an old one")
            empty = op.run(body={})
            op.expect(empty, 200, "nothing changed")

    def delete_all(self):
        for op in reversed(self.operations):
            if op.method != "delete":
                continue
            if "412" in op.codes:
                op.expect(op.run(headers={"If-Match": '"999999"'}), 412)
            if op.headers:
                op.expect(op.run(headers={}), 428)
            if op.id in ("account_delete", "tenant_delete",
                         "package_delete", "subscription_delete",
                         "invoice_delete", "seller_delete"):
                op.expect(op.run(), 409, "postings stay for ever")
                continue
            op.expect(op.run(), 204)
            op.expect(op.run(), 404, "twice")

    # --- bad weather ----------------------------------------------------

    def refuse_all(self):
        for op in self.operations:
            if "401" in op.codes:
                op.expect(op.run(key=None), 401, "no key")
                op.expect(op.run(key="sk_" + NOBODY + "_" + "a" * 52), 401,
                          "unknown key")
            Tally.check(("401" in op.codes) == (op.scope != "none"),
                        f"{op.id}: 401 documented when a key is needed")
            if "tenant:read" not in op.op["x-may"] and op.scope != "none":
                op.expect(op.run(key=READ_KEY), 403)
            if "404" in op.codes and "{" in op.path:
                op.expect(op.run(real=False), 404)
            if op.media:
                self.refuse_bodies(op)
            elif "400" in op.codes:
                op.expect(op.run(extra="&nonsense=1" if "?" in op.url()
                                 else "nonsense=1"), 400,
                          "unknown parameter")

    def refuse_bodies(self, op):
        op.expect(op.run(media="text/x-nonsense"), 415)
        limit = op.op.get("x-body-max", 1 << 20)
        op.expect(call(op.method, op.url(), media=op.media,
                       headers={"Content-Length": str(limit + 1),
                                **op.headers}), 413)
        if "json" not in op.media:
            # a job tells it in its errors
            if "202" not in op.codes:
                op.expect(op.run(body="nonsense\n1\n"), 422, "columns")
            op.expect(op.run(body=""), 400, "empty")
            return
        for text in ("", "{", '{"a":1,"a":2}', "[" * 40 + "]" * 40,
                     '"\\u0000"', '"\xff"'.encode("latin1")):
            op.expect(op.run(body=text), 400, f"body {text[:12]!r}")
        answer = op.run(body={"nonsense": 1, "a/b~c": 2})
        if op.expect(answer, 422, "unknown members"):
            pointers = [e["pointer"] for e in answer.json().get("errors", [])]
            Tally.check(pointers == [""] or
                        {"/nonsense", "/a~1b~0c"} <= set(pointers),
                        f"{op.id}: all faults at once: {pointers}")
        op.expect(op.run(body=[[]]), 422, "not an object")

    def conflict_all(self):
        """The same again where a value has to be the only one."""
        unique = ("decision_url", "tenant", "realm", "gateway", "credential", "address", "site",
                  "did", "route", "emergency_number", "zone_rule")
        for op in self.operations:
            if op.id.removesuffix("_create") in unique:
                answer = op.run()
                if op.expect(answer, 409):
                    errors = answer.json().get("errors", [])
                    Tally.check(errors and errors[0]["pointer"],
                                f"{op.id}: 409 names the member")
        for op in self.operations:
            if op.method == "delete" and "409" in op.codes and \
                    op.id not in ("gateway_delete", "origin_set_delete",
                                  "tax_profile_delete", "charge_delete"):
                op.expect(op.run(), 409, "in use")

    def unknown_all(self):
        for path in ("/", "/v1", "/v1/nonsense", "/v1/tenants/",
                     "/v1/tenants/a/b/c", "/%00", "/v1/tenants/" + "x" * 200):
            answer = call("get", path)
            Tally.check(answer.status == 404 and answer.type == PROBLEM,
                        f"GET {path[:30]}: {answer.status} {answer.type}")
        for path, item in self.doc["paths"].items():
            op = next(o for o in self.operations if o.path == path)
            for method in METHODS + ("options", "trace"):
                if method in item:
                    continue
                answer = call(method, op.url())
                good = (answer.status == 405 and answer.type == PROBLEM and
                        set(answer.headers["Allow"].split(", ")) ==
                        {m.upper() for m in METHODS if m in item})
                Tally.check(good, f"{method} {path}: {answer.status} Allow "
                            f"{answer.headers.get('Allow')}")


def main():
    answer = call("get", "/openapi.json", key=None)
    contract = Contract(answer.json())
    contract.dry_all("before")
    contract.create_all()
    contract.repeat_all()
    contract.dry_all("after")
    contract.read_all()
    contract.page_all()
    contract.shape_all()
    contract.conflict_all()
    contract.refuse_all()
    contract.unknown_all()
    contract.match_all()
    contract.patch_all()
    contract.delete_all()
    print(f"contract: {len(contract.operations)} operations")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
