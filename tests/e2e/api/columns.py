#!/usr/bin/env python3
"""Every column of the database that an operator may set is reachable over REST:
what the API may write, against the fields of its resources. What is not has its
reason here. Same environment as contract.py."""
import os
import shlex
import subprocess
import sys

from contract import Tally, psql

# made by the database or the server, in every table
MADE = {"id", "row_version", "created_at", "updated_at"}
TABLES = {
    "core.audit": "written with each change, read at /v1/audit-events",
    "core.idempotency": "the answers to repeated POSTs",
    "core.job": "made by the operations that answer 202",
    "core.job_error": "written by jobs",
    "core.job_text": "written by jobs",
    "core.route_target": "member targets of a route",
    "core.carrier_group_member": "member of a carrier group",
    "core.disconnect_rule": "member rules of a disconnect policy",
    "core.emergency_target": "member targets of an emergency number",
    "core.rate_deck_origin": "member origins of a rate deck",
    "core.rate": "replaced, imported and deleted as a deck's rates",
    "core.rate_import": "written by an import, read at /imports",
    "core.rate_import_row": "what an import found",
    "core.rate_import_undo": "what a roll-back needs",
}
COLUMNS = {
    "core.api_key.made_by": "the key that made it",
    "core.api_key.last_used_at": "written when it is used",
    "core.api_key.old_sha256": "made by rotate",
    "core.api_key.old_until": "member grace_s of rotate",
    "core.rate_deck.rate_version": "counts the changes of its rates",
    "core.source_address.gateway_id": "made with host and port of a gateway",
    "core.subscriber.verified_at": "written when it is verified",
    "core.webhook_endpoint.disabled_at": "written by what sends",
    "core.webhook_endpoint.disabled_reason": "written by what sends",
    "core.webhook_endpoint.failing_since": "written by what sends",
    "core.decision_url.previous_box": "made by rotate",
    "core.decision_url.previous_until": "made by rotate",
    "core.webhook_endpoint.previous_box": "made by rotate-secret",
    "core.webhook_endpoint.previous_until": "made by rotate-secret",
}


def main():
    command = shlex.split(os.environ["API_COMMAND"])[0]
    out = subprocess.run([command, "--print-columns"], check=True,
                         capture_output=True, text=True).stdout
    reachable = {tuple(line.split()[:2]) for line in out.splitlines()}
    written = psql("""
        select c.oid::regclass || ' ' || a.attname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid
        where n.nspname in ('core', 'billing') and c.relkind in ('r', 'p')
            and a.attnum > 0 and not a.attisdropped
            and a.attidentity = '' and a.attgenerated = ''
            and (has_column_privilege('strowger_api', c.oid, a.attnum,
                'insert') or has_column_privilege('strowger_api', c.oid,
                a.attnum, 'update'))
        order by 1""").splitlines()
    Tally.check(len(written) > 100, f"{len(written)} columns")
    used = set()
    for line in written:
        table, column = line.split()
        name = f"{table}.{column}"
        if table in TABLES:
            used.add(table)
        elif name in COLUMNS:
            used.add(name)
            Tally.check((table, column) not in reachable,
                        f"{name} is reachable: no exception")
        elif column not in MADE:
            Tally.check((table, column) in reachable,
                        f"{name} cannot be set over REST")
    Tally.check(used == set(TABLES) | set(COLUMNS),
                f"exceptions for nothing: "
                f"{(set(TABLES) | set(COLUMNS)) - used}")
    print(f"columns: {len(written)}, {len(used)} exceptions")
    print(f"{Tally.passed} passed, {Tally.failed} failed")
    sys.exit(1 if Tally.failed else 0)


if __name__ == "__main__":
    main()
