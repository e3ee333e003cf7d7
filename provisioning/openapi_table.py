#!/usr/bin/env python3
"""openapi.yaml -> C: the table of operations, and the document as JSON.

Each operation names its scope (x-scope) and either a resource with a generic
verb (x-resource, x-verb) or nothing, when its handler has the name of the
operationId.
"""
import json
import sys

import yaml

METHODS = ("get", "post", "put", "patch", "delete")
BODY_DEFAULT = 1 << 20
SCOPES = {
    "none": "SCOPE_NONE",
    "tenant:read": "SCOPE_TENANT_READ",
    "tenant:write": "SCOPE_TENANT_WRITE",
    "platform:read": "SCOPE_PLATFORM_READ",
    "platform:write": "SCOPE_PLATFORM_WRITE",
}


def resolve(doc, node):
    while "$ref" in node:
        target = doc
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def strings(name, values):
    rows = ", ".join(f'"{v}"' for v in values)
    return (f"static const char *const {name}[] = "
            f"{{{rows + ', ' if rows else ''}NULL}};\n")


def operation(doc, method, path, item, op):
    """One operation: its constants, its row, and the handler it needs."""
    name = op["operationId"]
    params = [resolve(doc, p)
              for p in item.get("parameters", []) + op.get("parameters", [])]
    query = [p["name"] for p in params if p["in"] == "query"]
    body = op.get("requestBody")
    media = list(resolve(doc, body)["content"]) if body else []
    body_max = op.get("x-body-max", BODY_DEFAULT) if body else 0
    resource = op.get("x-resource")
    handler = f"resource_{op['x-verb']}" if resource else name
    constants = (strings(f"query_{name}", query) +
                 strings(f"media_{name}", media))
    row = (f'\t{{"{method.upper()}", "{path}", "{name}",\n'
           f'\t {SCOPES[op["x-scope"]]}, query_{name}, media_{name}, '
           f'{body_max},\n\t {handler}, '
           f'{"&resource_" + resource if resource else "NULL"}}},\n')
    return constants, row, None if resource else handler


def c_bytes(data):
    rows = []
    for i in range(0, len(data), 16):
        rows.append("\t" + " ".join(f"{b}," for b in data[i:i + 16]))
    return "\n".join(rows)


def main(source, target):
    with open(source, encoding="utf-8") as f:
        doc = yaml.safe_load(f)
    constants, rows, handlers = [], [], []
    for path, item in doc["paths"].items():
        for method in METHODS:
            if method in item:
                c, r, h = operation(doc, method, path, item, item[method])
                constants.append(c)
                rows.append(r)
                handlers += [h] if h else []
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
        f.write("const char openapi_json[] = {\n" + c_bytes(data) +
                "\n\t0};\nconst size_t openapi_json_len = "
                "sizeof(openapi_json) - 1;\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
