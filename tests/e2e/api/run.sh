#!/bin/sh
# The API against a private PostgreSQL: each of the files below in this order,
# or those that are named, and a clean end on SIGTERM. Everything lives in a
# temporary folder, which API_KEEP=1 leaves there.
#   run.sh [BUILD_DIR [TEST ...]]    (else $STROWGER_BUILD, else build/asan)
set -eu

# Debian's python3 has the packages that this asks for
PATH=/usr/bin:$PATH

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
build=$(cd "${1:-${STROWGER_BUILD:-$root/build/asan}}" && pwd)
[ $# = 0 ] || shift
tests=${*:-columns contract isolation billing rerate reconciliation rate_sheet
	behaviour forwarded webhook decision_url provision customer export}
api=$build/provisioning/strowger-api
command=$build/provisioning/command/strowger
dir=$(mktemp -d)
chmod 755 "$dir"
cluster=$root/tests/unit/base/cluster.sh
api_pid='' stub_pid=''

finish()
{
	[ -z "$api_pid" ] || kill "$api_pid" 2>/dev/null || true
	[ -z "$stub_pid" ] || kill "$stub_pid" 2>/dev/null || true
	sh "$cluster" stop "$dir/pg"
	if [ -n "${API_KEEP:-}" ]; then
		echo "kept in $dir" >&2
	else
		rm -rf "$dir"
	fi
}
trap finish EXIT
trap 'exit 1' INT TERM

sh "$cluster" start "$dir/pg"
owner="host=$dir/pg user=postgres dbname=strowger"
createdb -h "$dir/pg" -U postgres -E UTF8 -l C.UTF-8 -T template0 strowger
"$command" db migrate --dsn "$owner" --dir "$root/sql/migrate" \
	>"$dir/migrate.log"
psql -qX "$owner" -v ON_ERROR_STOP=1 -f "$here/seed.sql" \
	-c 'create role api login in role strowger_api'

port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	-keyout "$dir/ca.key" -out "$dir/ca.pem" -days 2 \
	-subj "/CN=Strowger test CA" 2>"$dir/openssl.log"
export API_CA="$dir/ca"
cat >"$dir/api.yaml" <<END
api:
  listen: 127.0.0.1:$port
  socket: $dir/api.sock
  dsn: host=$dir/pg user=api dbname=strowger
  control: $dir/control.sock
  trusted_proxies: 127.0.0.1, 10.0.0.0/8
exports:
  ssh_key: $dir/ssh_key
  known_hosts: $dir/known_hosts
webhooks:
  key_file: $dir/webhook.key
  ca_file: $dir/ca.pem
  allow_private: true
  retry_first_ms: 300
  retry_for_s: 6
END

ssh-keygen -q -t ed25519 -N '' -f "$dir/ssh_key"
export API_DIR="$dir"
export API_STUB_LOCKS="$dir/locks"
python3 "$here/control_stub.py" "$dir/control.sock" &
stub_pid=$!
API_KEY=$("$api" -c "$dir/api.yaml" --create-key test --scope platform:write)
API_READ_KEY=$("$api" -c "$dir/api.yaml" --create-key low \
	--scope tenant:read --tenant ten_yyyyyyyyyyyyyyyyyyyyyyyyyy)
# weasyprint, which waits while there is a file
mkdir "$dir/bin"
printf '#!/bin/sh\nwhile [ -e "%s" ]; do sleep 0.05; done\n%s "$@"\n' \
	"$dir/print.hold" 'PATH=${PATH#*:} exec weasyprint' \
	>"$dir/bin/weasyprint"
chmod +x "$dir/bin/weasyprint"
PATH=$dir/bin:$PATH "$api" -c "$dir/api.yaml" 2>"$dir/api.log" &
api_pid=$!
export API_KEY API_READ_KEY API_URL="http://127.0.0.1:$port"
export API_SOCKET="$dir/api.sock" API_OWNER="$owner"
export API_COMMAND="$api -c $dir/api.yaml" API_STROWGER="$command"

tries=0
until curl -sf "$API_URL/readyz" >/dev/null; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ]; then
		cat "$dir/api.log"
		echo "0 passed, 1 failed"
		exit 1
	fi
	sleep 0.1
done

status=0
for test in $tests; do
	python3 "$here/$test.py" >>"$dir/all.out" || status=1
done

kill -TERM "$api_pid"
wait "$api_pid" && end=0 || end=$?
api_pid=''
grep -v -E '^[0-9]+ passed' "$dir/all.out" || true
if [ $end != 0 ]; then
	echo "not ok strowger-api ended with $end"
	tail -n 40 "$dir/api.log"
	status=1
fi
awk -v end=$end '/^[0-9]+ passed/ { p += $1; f += $3 }
	END { if (end) f++; else p++
	printf "%d passed, %d failed\n", p, f }' "$dir/all.out"
exit $status
