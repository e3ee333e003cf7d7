#!/usr/bin/env python3
"""sql/reports/*.sql -> C: the table of reports.

The head of a file says what the report is, and names its columns:

    -- title: Traffic by destination
    -- about: One sentence.
    -- for: tenant                  who may ask: tenant, or platform
    -- column: NAME KIND [platform]: what it is
    -- chart: NAME                  a column that HTML shows as bars, too

Kinds: text, number, decimal, percent, money (micro-units in SQL), time, flag.
A column of the platform is shown to no tenant. Parameters are psql's, as
:'from'; those that there are stand in PARAMS. viewer is the tenant that reads
it, '' the platform.
"""
import os
import re
import sys

PARAMS = ("from", "to", "tenant", "trunk", "carrier", "direction", "currency",
          "zone", "step", "limit", "run", "viewer")
KINDS = ("text", "number", "decimal", "percent", "money", "time", "flag")
COLUMNS_MAX = 24


def fail(path, why):
    sys.exit("%s: %s" % (path, why))


def read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    report = {"name": os.path.basename(path).removesuffix(".sql"),
              "columns": [], "chart": ""}
    for line in text.splitlines():
        head = re.match(r"-- (title|about|for|chart): (.+)$", line)
        column = re.match(r"-- column: (\w+) (\w+)( platform)?: (.+)$", line)
        if head:
            report[head[1]] = head[2]
        elif column:
            report["columns"].append(column.groups())
        elif line.startswith("-- "):
            fail(path, "unknown line of the head: " + line)
        else:
            break
    names = [c[0] for c in report["columns"]]
    for name in ("title", "about", "for"):
        if name not in report:
            fail(path, "does not say its " + name)
    if report["for"] not in ("tenant", "platform"):
        fail(path, "is for tenant or platform")
    if report["chart"] and report["chart"] not in names:
        fail(path, "charts a column that it has not")
    if not names or len(names) > COLUMNS_MAX or len(set(names)) < len(names):
        fail(path, "1 to %d columns, each once" % COLUMNS_MAX)
    for name, kind, _, _ in report["columns"]:
        if kind not in KINDS:
            fail(path, "column %s: unknown kind %s" % (name, kind))
    body = "\n".join(l for l in text.splitlines() if not l.startswith("-- "))
    used = []

    def number(match):
        if match[1] not in PARAMS:
            fail(path, "unknown parameter " + match[1])
        if match[1] not in used:
            used.append(match[1])
        return "$%d" % (used.index(match[1]) + 1)

    report["sql"] = re.sub(r":'(\w+)'", number, body)
    report["uses"] = used
    return report


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def lines(sql):
    return "\n".join("\t\t" + quoted(re.sub(r"\s+", " ", l) + " ") for l in
                     sql.splitlines() if l.strip() and
                     not l.strip().startswith("--"))


def main():
    reports = [read(p) for p in sys.argv[2:]]
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write('#include "report.h"\n\n')
        for r in reports:
            out.write("static const struct report_column %s_columns[] = {\n"
                      % r["name"])
            for name, kind, platform, about in r["columns"]:
                out.write("\t{%s, %s, REPORT_%s, %s},\n" % (
                    quoted(name), quoted(about), kind.upper(),
                    "true" if platform else "false"))
            out.write("};\n")
        out.write("\nconst struct report reports[] = {\n")
        for r in reports:
            out.write("\t{%s, %s, %s, %s, %s, %s_columns, %d,\n\t {%s}, %d,\n"
                      "%s},\n" % (
                          quoted(r["name"]), quoted(r["title"]),
                          quoted(r["about"]), quoted(r["chart"]),
                          "true" if r["for"] == "tenant" else "false",
                          r["name"], len(r["columns"]),
                          ", ".join("REPORT_BY_" + u.upper()
                                    for u in r["uses"]) or "0",
                          len(r["uses"]), lines(r["sql"])))
        out.write("};\nconst size_t report_n = %d;\n" % len(reports))


if __name__ == "__main__":
    main()
