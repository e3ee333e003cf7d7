#!/bin/bash
# Benches of call records on a private PostgreSQL with its settings as they
# come: cdr.sh load|cdrs|reports BUILD [OPTIONS]
set -euo pipefail
what=$1 build=$2
shift 2
top=$(cd "$(dirname "$0")/../.." && pwd)
cluster=$top/tests/unit/base/cluster.sh
dir=$(mktemp -d)
chmod 755 "$dir"
trap 'sh "$cluster" stop "$dir/pg"; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

dsn="host=$dir/pg user=postgres dbname=postgres"
sh "$cluster" start "$dir/pg"
"$build/provisioning/command/strowger" db migrate --dsn "$dsn" \
	--dir "$top/sql/migrate" > "$dir/migrate.log" || {
	cat "$dir/migrate.log"
	exit 2
}

case $what in
load)
	"$build/tests/bench/bench_ledger" "$dsn" "$dir/journal" "$@" ;;
cdrs)
	"$top/tests/bench/lib/cdrs.py" "$dsn" "$@" ;;
reports)
	"$top/tests/bench/lib/reports.py" "$dsn" \
		"$build/provisioning/command/strowger" "$top/tests/lib/month" \
		"$@" ;;
esac
