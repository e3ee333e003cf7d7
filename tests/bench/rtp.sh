#!/bin/sh
# The relay alone under N calls, relay on one processor and load on another:
#   tests/bench/rtp.sh BUILD_DIR [CALLS] [SECONDS]
# Prints one JSON line: lost packets, added delay, processor time per packet.
set -e

bin=$1/tests/bench
calls=${2:-100}
seconds=${3:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# the load stands for other machines: it waits for no processor of this one
first="chrt --fifo 60"
$first true 2> /dev/null || first=

mkfifo "$dir/stdin"
: > "$dir/ports"
taskset -c 0 "$bin/rtp_relay" "$calls" 1 < "$dir/stdin" > "$dir/ports" &
relay=$!
exec 3> "$dir/stdin" # the relay ends when this is closed

while kill -0 $relay && [ "$(wc -l < "$dir/ports")" -lt "$calls" ]; do
	sleep 0.1
done

taskset -c 1 $first "$bin/rtp_load" --pid $relay --seconds "$seconds" \
	< "$dir/ports" 3>&-
exec 3>&-
wait $relay
