#!/usr/bin/env python3
"""Tenants are apart: every operation of /openapi.json, tried with the keys of
one tenant and of a reseller against every other tenant's ids, in the path, in
the filters and in the body. Each try must be refused (403, 404, 422) or show
nothing of the others, and change nothing.

Four worlds are made from the document's own examples: a tenant (whose keys
try), its reseller (whose key does too), its sibling, and a stranger. What an operation makes
in one world is found by itself, so that a new operation is tried as soon as it
stands in the document. It must say where others' rows could come in:

    x-isolation: path     an id in the path          (the default with {...})
                 list     what it shows              (default of x-verb: list)
                 body     ids in its body            (default of writes whose
                                                      body may hold one)
                 own      nothing but the caller's own can be named: says why

Same environment as contract.py.
"""
import copy
import os
import re
import shlex
import subprocess
import sys
import urllib.parse

from contract import KEY, Contract, Tally, call, psql

check = Tally.check
REFUSED = (403, 404, 422)
TENANTS = ("tenant:read", "tenant:write", "reseller")
ID = re.compile(r"[a-z]{3}_[0-9a-z]{26}")
TENANT = "ten_06e8xk3p9m4r7t2v5y8b1d4f01" # in the examples
# whose example fits the rows of the examples alone
ONCE = ("did_split", "account_transfer_create")
# what exists only after some time
LATER = ("job_output_get",)
tries = 0


def make_key(name, scope, tenant):
    command = shlex.split(os.environ["API_COMMAND"])
    return subprocess.run(
        command + ["--create-key", name, "--scope", scope, "--tenant",
                   tenant], check=True, capture_output=True,
        text=True).stdout.strip()


def leaves(value, at=()):
    """(path, value) of each leaf of a JSON value."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from leaves(v, at + (k,))
    elif isinstance(value, list):
        for i, v in enumerate(value):
            yield from leaves(v, at + (i,))
    else:
        yield at, value


def put(value, at, new):
    value = copy.deepcopy(value)
    node = value
    for step in at[:-1]:
        node = node[step]
    node[at[-1]] = new
    return value


def other(value, n):
    """A value of the same form, for what may be there only once."""
    if re.fullmatch(r"\+?[0-9]+", value):
        return value[:-2] + f"{(int(value[-2:]) + 10 + n) % 100:02}"
    if re.match(r"[0-9]+\.[0-9]+\.[0-9]+\.", value):
        a, b, _, rest = value.split(".", 3)
        return ".".join((a, b, str(200 + n), rest))
    return f"{value}-{n}"


class World:
    """A tenant with what the examples make in it: example id -> real id."""
    number = 0

    def __init__(self, contract, **tenant):
        World.number += 1
        self.contract, self.n, self.own = contract, World.number, {}
        self.key = None
        for op in contract.operations:
            if op.id == "tenant_create" or (op.method == "post" and
                                            self.is_mine(op)):
                self.make(op, tenant if op.id == "tenant_create" else {})
            if not self.key and TENANT in self.own:
                self.key = make_key("w", "tenant:write", self.own[TENANT])

    def real(self, value):
        if isinstance(value, str):
            return self.own.get(value, self.contract.real(value))
        if isinstance(value, list):
            return [self.real(v) for v in value]
        if isinstance(value, dict):
            return {k: self.real(v) for k, v in value.items()}
        return value

    def is_mine(self, op):
        """Does its path or its body name what this world has made?"""
        names = [p["example"] for p in op.params if p["in"] == "path"]
        names += [v for _, v in leaves(op.raw())]
        return any(isinstance(v, str) and v in self.own for v in names)

    def make(self, op, more):
        body = self.real(op.raw())
        if isinstance(body, dict):
            body = {**body, **more}
        for attempt in range(4):
            key = self.key if "tenant:write" in op.op["x-may"] else KEY
            answer = call("post", self.path(op), body, op.media, key,
                          headers=op.headers)
            if answer.status not in (409, 422):
                break
            for error in answer.json().get("errors", []):
                at = tuple(int(s) if s.isdigit() else s for s in
                           error["pointer"].strip("/").split("/"))
                old = dict(leaves(body)).get(at)
                if isinstance(old, str):
                    body = put(body, at, other(old, self.n + attempt))
        if not check(answer.status < 300 or op.id in ONCE, f"{op.id} in world {self.n}: "
                     f"{answer.status} {answer.data[:300]!r}"):
            return
        if answer.status >= 300:
            return
        shown = op.shown()
        if answer.status in (201, 202) and isinstance(shown.get("id"), str):
            self.own[shown["id"]] = answer.json()["id"]

    def path(self, op, **params):
        path = op.path
        for p in op.params:
            if p["in"] == "path":
                value = params.get(p["name"], self.real(p["example"]))
                path = path.replace("{%s}" % p["name"],
                                    urllib.parse.quote(value, safe=""))
        needed = {p["name"]: p["example"] for p in op.params
                  if p["in"] == "query" and p.get("required")}
        return path + ("?" + urllib.parse.urlencode(needed) if needed
                       else "")


class Attack:
    """One key of one world against another world."""

    def __init__(self, name, key, scope, mine, theirs):
        self.name, self.key, self.scope = name, key, scope
        self.mine, self.theirs = mine, theirs

    def send(self, op, path, body):
        global tries
        tries += 1
        return call(op.method, path, body, op.media, self.key,
                    headers=op.headers)

    def refused(self, op, path, body, what):
        answer = self.send(op, path, body)
        check(answer.status in REFUSED,
              f"{op.id} by {self.name}, {what}: {answer.status} "
              f"{answer.data[:200]!r}")
        self.hidden(op, answer, what)

    def names(self, prefix=""):
        """Their ids; who stands above a tenant is no secret to it."""
        return [i for k, i in self.theirs.own.items() if i.startswith(prefix)
                and not (k == TENANT and self.theirs is self.mine.above)]

    def hidden(self, op, answer, what):
        text = answer.data.decode("utf-8", "replace")
        asked = answer.status in REFUSED
        seen = [i for i in self.names() if i in text]
        check(asked or not seen,
              f"{op.id} shows {self.name} {seen}, {what}")

    def run(self, op):
        body = self.mine.real(op.raw())
        if self.scope not in op.op["x-may"]:
            self.refused(op, self.theirs.path(op), self.theirs.real(
                op.raw()), "without the scope")
            return
        if "path" in op.isolation:
            self.paths(op, body)
        if "list" in op.isolation:
            self.lists(op)
        if "body" in op.isolation:
            self.bodies(op, body)

    def paths(self, op, body):
        """Their id at each place of the path, alone and all together."""
        # what is in no world is the platform's, or the first example's
        theirs = {p["name"]: self.theirs.real(p["example"])
                  for p in op.params if p["in"] == "path" and
                  (p["example"] in self.theirs.own or
                   p["example"] not in self.mine.own)}
        for names in [[n] for n in theirs] + [list(theirs)]:
            params = {n: theirs[n] for n in names}
            self.refused(op, self.mine.path(op, **params), body,
                         f"path {names}")

    def lists(self, op):
        answer = self.send(op, self.mine.path(op), None)
        check(answer.status in (200, 404), f"{op.id} by {self.name}: "
              f"{answer.status}")
        self.hidden(op, answer, "list")
        expand = next((p["schema"]["examples"][0] for p in op.params
                       if p["name"] == "expand"), None)
        for name in (expand or "").split(",") if expand else ():
            path = self.mine.path(op)
            path += ("&" if "?" in path else "?") + "expand=" + name
            self.hidden(op, self.send(op, path, None), "expand=" + name)
        for p in op.params:
            if p["in"] != "query":
                continue
            prefix = prefix_of(op, p["schema"])
            for value in self.names(prefix or "-"):
                path = self.mine.path(op)
                path += ("&" if "?" in path else "?") + \
                    urllib.parse.urlencode({p["name"]: value})
                answer = self.send(op, path, None)
                check(answer.status == 200 and answer.json()["data"] == [],
                      f"{op.id} by {self.name}, {p['name']}={value}: "
                      f"{answer.status} {answer.data[:200]!r}")
                self.hidden(op, answer, f"filter {p['name']}")

    def bodies(self, op, body):
        """Their id in each member that holds one of ours."""
        at = {at: self.theirs.own[v] for at, v in leaves(op.raw())
              if isinstance(v, str) and v in self.theirs.own}
        for name, prefix in references(op):
            at.update({(name,): i for i in self.theirs.own.values()
                       if i.startswith(prefix)})
        for where, value in at.items():
            self.refused(op, self.mine.path(op), put(body, where, value),
                         f"body {where}")

    def own_is_there(self, op):
        """The same request with our own ids is answered: a try that fails
        for another reason would show nothing."""
        if op.method != "get" or self.scope not in op.op["x-may"]:
            return
        if any(p["in"] == "path" and p["example"] not in self.mine.own
               for p in op.params):
            return
        answer = self.send(op, self.mine.path(op), None)
        check(answer.status in (200, 404 if op.id in LATER else 200),
              f"{op.id} by {self.name} for its own: {answer.status}")


def prefix_of(op, schema):
    """What the ids begin with that fit this schema, or None."""
    schema = op.contract.resolve(schema)
    for kind in [schema] + schema.get("oneOf", []):
        match = re.match(r"\^([a-z]{3}_)",
                         op.contract.resolve(kind).get("pattern", ""))
        if match:
            return match[1]
    return None


def references(op):
    """(member, prefix of ids) of what the body may refer to."""
    if not op.media or "json" not in op.media:
        return
    schema = op.contract.resolve(op.content[op.media]["schema"])
    for name, prop in schema.get("properties", {}).items():
        prefix = prefix_of(op, prop)
        if prefix and name != "id":
            yield name, prefix


def declare(op):
    """Where rows of others could come in; None: nobody has said."""
    said = op.op.get("x-isolation")
    if said:
        check(said != "own" or op.op.get("description"),
              f"{op.id}: x-isolation: own needs a description that says why")
        return said.split()
    ways = []
    if "{" in op.path:
        ways.append("path")
    if op.op.get("x-verb") == "list":
        ways.append("list")
    if op.method != "get" and (any(
            isinstance(v, str) and ID.fullmatch(v)
            for _, v in leaves(op.raw())) or list(references(op))):
        ways.append("body")
    return ways or None


def main():
    contract = Contract(call("get", "/openapi.json", key=None).json())
    contract.create_all()
    above = World(contract)
    mine = World(contract, parent_id=above.real(TENANT))
    sibling = World(contract, parent_id=above.real(TENANT))
    stranger = World(contract)
    mine.above = above
    contract.jobs_end()
    check(len(mine.own) >= 6, f"a world has its things: {mine.own}")

    me = mine.real(TENANT)
    attacks = []
    for scope in ("tenant:read", "tenant:write", "reseller"):
        key = make_key("i", scope, me)
        attacks += [Attack(f"{scope} against {name}", key, scope, mine, w)
                    for name, w in (("a stranger", stranger),
                                    ("its sibling", sibling),
                                    ("its reseller", above))]
    key = make_key("r", "reseller", above.real(TENANT))
    attacks.append(Attack("a reseller against a stranger", key, "reseller",
                          mine, stranger))
    operations = 0
    for op in contract.operations:
        if op.scope == "none":
            continue
        op.isolation = declare(op) or []
        check(op.isolation or not set(TENANTS) & set(op.op["x-may"]),
              f"{op.id}: no x-isolation")
        before = contract.everything()
        for attack in attacks:
            attack.run(op)
        moved = contract.moved(before)
        check(not moved, f"{op.id}: a try has changed {moved}")
        for attack in attacks[::3]:
            attack.own_is_there(op)
        operations += 1
    # nobody is to be told of the events of the tests that follow
    psql("delete from core.webhook_endpoint")
    print(f"isolation: {operations} operations, {tries} tries")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
