#!/bin/sh
# A private PostgreSQL cluster for one test, on a Unix socket only.
#   cluster.sh start DIR   makes and starts it; DIR is then the socket's host
#   cluster.sh stop DIR    stops it (idempotent)
#   cluster.sh again DIR   starts it once more, as it was left
#   cluster.sh save DIR TO    a copy of its files as they are; it goes on
#   cluster.sh load FROM DIR  makes and starts another one from such a copy
# initdb refuses root, so root becomes the user postgres.
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
	echo "no PostgreSQL server here" >&2
	exit 77
fi

as_user()
{
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

server_start()
{
	as_user "$bin/pg_ctl" -D "$1/data" -w -l "$1/server.log" \
		-o "-k $1 -c listen_addresses= -c fsync=off" start >/dev/null
}

case "$1" in
start)
	mkdir -p "$2"
	[ "$(id -u)" != 0 ] || chown postgres "$2"
	as_user "$bin/initdb" -D "$2/data" -A trust -U postgres -N \
		>"$2/initdb.log" 2>&1
	server_start "$2"
	;;
again)
	server_start "$2"
	;;
save)
	as_user "$bin/pg_ctl" -D "$2/data" -m fast -w stop >/dev/null
	cp -a "$2/data" "$3"
	server_start "$2"
	;;
load)
	mkdir -p "$3"
	[ "$(id -u)" != 0 ] || chown postgres "$3"
	cp -a "$2" "$3/data"
	server_start "$3"
	;;
stop)
	as_user "$bin/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null \
		2>&1 || true
	;;
*)
	exit 2
	;;
esac
