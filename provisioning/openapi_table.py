#!/usr/bin/env python3
"""openapi.yaml -> C: the table of operations, and the document as JSON.

Each operation names the least scope that may do it (x-scope) and either a
resource with a generic verb (x-resource, x-verb) or nothing, when its handler
has the name of the operationId (it may do more than its resource does). What all operations have in common is said
once, here (conventions()), and stands in the document that is served:

    every write         ?dry_run=1, ?apply=sync; not where x-effect: none says that nothing
                        is written anyway (a test, a quote)
    every POST          Idempotency-Key
    PATCH, DELETE of    If-Match, required (428) unless x-if-match: optional; of
    a row with a verb   others with x-if-match: required
    GET with an ETag    If-None-Match, 304
    GET of a resource   fields, expand; of a list also sort (x-sort, else what all
                        have), ranges of times and of the numbers in x-ranges; also
                        where a handler of its own does it (x-shape: get or list)
    with a key          401, 403, 429, 503

Who may do it: may() below; x-roles adds scopes, {scope: [members]} one that may
send those members only. x-may of the served document has the outcome.
"""
import json
import os
import sys

import yaml

METHODS = ("get", "post", "put", "patch", "delete")
BODY_DEFAULT = 1 << 20
# the least scope -> who has it or more
HOLDERS = {
    "none": (),
    "tenant:read": ("tenant:read", "tenant:write", "reseller",
                    "platform:read", "platform:write"),
    "tenant:write": ("tenant:write", "reseller", "platform:write"),
    "reseller": ("reseller", "platform:write"),
    "platform:read": ("platform:read", "platform:write"),
    "platform:write": ("platform:write",),
}
SCOPES = ("tenant:read", "tenant:write", "platform:read", "platform:write",
          "reseller", "noc", "billing")


def resolve(doc, node):
    while "$ref" in node:
        target = doc
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def constant(scope):
    return "SCOPE_" + scope.upper().replace(":", "_")


def is_write(method, op):
    return method != "get" and op.get("x-effect") != "none"


def may(doc, method, op):
    """Scopes that may do it, and the members of those that are limited.

    The area of an operation is that of its tag (x-area in the tags of the
    document; routing when it has none): the network operations centre reads
    everything but money and keys, billing reads everything but keys and
    writes money.
    """
    areas = {t["name"]: t["x-area"] for t in doc["tags"]}
    area = areas.get(op["tags"][0], "routing")
    scopes = set(HOLDERS[op["x-scope"]])
    members = []
    if scopes and not is_write(method, op):
        scopes |= {"money": {"billing"}, "keys": set()}.get(
            area, {"noc", "billing"})
    elif scopes and area == "money":
        scopes.add("billing")
    roles = op.get("x-roles", {})
    for scope in roles:
        scopes.add(scope)
        if isinstance(roles, dict):
            members += roles[scope]
    return [s for s in SCOPES if s in scopes], list(
        roles if isinstance(roles, dict) else []), members


def add_parameter(doc, item, op, key):
    ref = {"$ref": f"#/components/parameters/{key}"}
    params = op.setdefault("parameters", [])
    name = doc["components"]["parameters"][key]["name"]
    there = [p for p in item.get("parameters", []) + params
             if resolve(doc, p)["name"] == name]
    if not there:
        params.append(ref)


def needs_match(method, op):
    if "x-if-match" in op:
        return op["x-if-match"] == "required"
    return method in ("patch", "delete") and "x-verb" in op


def conventions(doc, method, item, op):
    responses = op["responses"]
    codes = []
    if is_write(method, op):
        add_parameter(doc, item, op, "dry_run")
        add_parameter(doc, item, op, "apply")
        codes.append("400")
    if method == "post":
        add_parameter(doc, item, op, "idempotency_key")
        codes.append("409")
        if "requestBody" in op and is_write(method, op):
            codes.append("422")
    if needs_match(method, op):
        op["parameters"] = [
            p for p in op.get("parameters", [])
            if resolve(doc, p)["name"] != "If-Match"]
        add_parameter(doc, item, op, "if_match_required")
        op["x-if-match"] = "required"
        codes += ["412", "428"]
    if method == "get" and "ETag" in responses["200"].get("headers", {}):
        add_parameter(doc, item, op, "if_none_match")
        responses["304"] = {"description": "The ETag is that of "
                                           "If-None-Match."}
    if op["x-scope"] != "none":
        codes += ["401", "429", "503"]
        if len(op["x-may"]) < len(SCOPES):
            codes.append("403")
    if any(resolve(doc, p)["in"] == "query" for p in op.get("parameters",
                                                            [])):
        codes.append("400")
    for code in codes:
        responses.setdefault(code, {
            "$ref": f"#/components/responses/Problem{code}"})
    op["responses"] = dict(sorted(responses.items()))


def shaped(op):
    return op.get("x-shape", op.get("x-verb"))


def row_schema(doc, op):
    """Name and schema of the rows that a GET of a resource answers."""
    content = op["responses"]["200"].get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if shaped(op) == "list":
        schema = resolve(doc, schema)["properties"]["data"]["items"]
    return resolve(doc, schema)


def references(doc, schema):
    """Members that expand can add, with the schema of what stands there."""
    schemas = doc["components"]["schemas"]
    for name, prop in schema["properties"].items():
        for ref in [prop] + prop.get("oneOf", []):
            target = ref.get("$ref", "").rpartition("/")[2]
            if name.endswith("_id") and target.endswith("Id") and \
                    target[:-2] in schemas:
                yield name[:-3], target[:-2]


def shape(doc, op):
    """What listing.c does for every GET of a resource."""
    def add(name, description, schema):
        if name not in names:
            params.append({"name": name, "in": "query",
                           "description": description, "schema": schema})

    params = op.setdefault("parameters", [])
    names = {resolve(doc, p)["name"] for p in params}
    schema = row_schema(doc, op)
    known = schema["properties"]
    shown = dict(references(doc, schema))
    for name, target in shown.items():
        known.setdefault(name, {
            "description": "With expand; null when this key does not see it.",
            "oneOf": [{"$ref": f"#/components/schemas/{target}"},
                      {"type": "null"}]})
        # what was required still is, with ?fields= nothing else comes
    if shown:
        add("expand", "Names, separated by commas: what these members refer "
            "to stands in the answer.",
            {"type": "string", "examples": [",".join(shown)]})
    add("fields", "Members to show, separated by commas; the others are left "
        "out.", {"type": "string"})
    if shaped(op) != "list":
        return
    sortable = op.setdefault("x-sort", [
        n for n in ("created_at", "updated_at", "name") if n in known])
    if sortable:
        add("sort", "A minus before it turns the order around.",
            {"type": "string",
             "enum": sortable + ["-" + n for n in sortable]})
    for name in [n for n, p in known.items() if any(
            r.get("$ref", "").endswith("/Time")
            for r in [p] + p.get("oneOf", []))]:
        for end in ("gte", "lt"):
            add(f"{name}[{end}]", "",
                {"$ref": "#/components/schemas/Time"})
    for name in op.get("x-ranges", []):
        number = next((r for r in [known[name]] + known[name].get("oneOf", [])
                       if "$ref" in r), {"type": "integer"})
        for end in ("gte", "lt"):
            add(f"{name}[{end}]", "", number)


def strings(name, values):
    rows = ", ".join(f'"{v}"' for v in values)
    return (f"static const char *const {name}[] = "
            f"{{{rows + ', ' if rows else ''}NULL}};\n")


def flags(names):
    return " | ".join(constant(n) for n in names) or "0"


def operation(doc, method, path, item, op):
    """One operation: its constants, its row, and the handler it needs."""
    name = op["operationId"]
    op["x-may"], limited, members = may(doc, method, op)
    if shaped(op) in ("list", "get"):
        shape(doc, op)
    conventions(doc, method, item, op)
    params = [resolve(doc, p)
              for p in item.get("parameters", []) + op.get("parameters", [])]
    query = [p["name"] for p in params if p["in"] == "query"]
    body = op.get("requestBody")
    media = list(resolve(doc, body)["content"]) if body else []
    body_max = op.get("x-body-max", BODY_DEFAULT) if body else 0
    resource = op.get("x-resource")
    handler = f"resource_{op['x-verb']}" if "x-verb" in op else name
    constants = (strings(f"query_{name}", query) +
                 strings(f"sorts_{name}", op.get("x-sort", [])) +
                 strings(f"media_{name}", media) +
                 strings(f"members_{name}", members))
    row = (f'\t{{"{method.upper()}", "{path}", "{name}",\n'
           f'\t {constant(op["x-scope"])},\n\t {flags(op["x-may"])},\n'
           f'\t {flags(limited)}, members_{name},\n'
           f'\t {str(needs_match(method, op)).lower()}, '
           f'{str("dry_run" in query).lower()},\n'
           f'\t query_{name}, sorts_{name}, media_{name}, {body_max},\n'
           f'\t {handler}, '
           f'{"&resource_" + resource if resource else "NULL"}}},\n')
    return constants, row, None if "x-verb" in op else handler


def c_bytes(data):
    rows = []
    for i in range(0, len(data), 16):
        rows.append("\t" + " ".join(f"{b}," for b in data[i:i + 16]))
    return "\n".join(rows)


def derive(schemas):
    """x-of NAME: that schema, x-without some members, x-optional others,
    x-with more."""
    for schema in schemas.values():
        for part in schema.get("properties", {}).values():
            part = part.get("items", part)
            if "x-of" not in part:
                continue
            whole = schemas[part.pop("x-of")]
            without = part.pop("x-without", [])
            optional = part.pop("x-optional", []) + without
            more = part.pop("x-with", {})
            part.update(whole, properties={
                k: v for k, v in whole["properties"].items()
                if k not in without} | more, required=[
                    k for k in whole["required"] if k not in optional])


def page(folder, name):
    """A file of the reference page as a C array."""
    with open(os.path.join(folder, name), "rb") as f:
        data = f.read()
    c_name = name.replace(".", "_")
    return f"\nconst char {c_name}[] = {{\n{c_bytes(data)}\n\t0}};\n"


def main(source, target):
    with open(source, encoding="utf-8") as f:
        doc = yaml.safe_load(f)
    derive(doc["components"]["schemas"])
    constants, rows, handlers, resources = [], [], [], []
    for path, item in doc["paths"].items():
        for method in METHODS:
            if method in item:
                c, r, h = operation(doc, method, path, item, item[method])
                constants.append(c)
                rows.append(r)
                handlers += [h] if h else []
                resources.append(item[method].get("x-resource"))
    resources = [r for r in dict.fromkeys(resources) if r]
    # what the loader made of one object named twice is written twice
    text = json.dumps(doc, ensure_ascii=True, separators=(",", ":"))
    data = text.encode("ascii")
    with open(target, "w", encoding="utf-8") as f:
        f.write("/* Made from openapi.yaml by openapi_table.py. */\n"
                '#include "operation.h"\n#include "resource.h"\n\n')
        f.write("operation_h " + ", ".join(sorted(handlers)) + ";\n\n")
        f.writelines(constants)
        f.write("\nconst struct operation operations[] = {\n")
        f.writelines(rows)
        f.write("};\n\nconst size_t operation_n =\n"
                "\tsizeof(operations) / sizeof(operations[0]);\n\n")
        f.write("const struct resource *const resources[] = {\n" +
                "".join(f"\t&resource_{r},\n" for r in resources) +
                "};\n\nconst size_t resource_n =\n"
                "\tsizeof(resources) / sizeof(resources[0]);\n\n")
        f.write("const char openapi_json[] = {\n" + c_bytes(data) +
                "\n\t0};\nconst size_t openapi_json_len = "
                "sizeof(openapi_json) - 1;\n")
        for name in ("docs.html", "docs.css", "docs.js"):
            f.write(page(os.path.dirname(source), name))


if __name__ == "__main__":
    main(*sys.argv[1:])
