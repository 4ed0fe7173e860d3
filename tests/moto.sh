#!/usr/bin/env bash
# Runs the core stories against moto, a simulation of AWS that nobody here wrote. Words after the script's name go to
# the test binary: `tests/moto.sh drift::` runs the stories of one file.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh

bin=$(venv moto 'moto[server]==5.2.5')
# Built first: the server need not wait for the compiler.
cargo test --test moto --no-run

folder=$(mktemp -d)
server=
stop() {
    status=$?
    trap - EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    if [ "$status" -ne 0 ] && [ -s "$folder/log" ]; then
        printf '\n== the last lines of moto\n' >&2
        grep -v ' 200 -$' "$folder/log" | tail -n 40 >&2 || true
    fi
    rm -rf "$folder"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
    "$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

is_up() {
    "$bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1/moto-api/data.json" 2>/dev/null
}

# Somebody may take the port before moto does, so there is more than one try.
start() {
    address=http://127.0.0.1:$(free_port)
    MOTO_RECORDER_FILEPATH="$folder/recording" "$bin/moto_server" -H 127.0.0.1 -p "${address##*:}" >"$folder/log" 2>&1 &
    server=$!
    for _ in $(seq 1 120); do
        kill -0 "$server" 2>/dev/null || return 1
        if is_up "$address"; then return 0; fi
        sleep 0.5
    done
    return 1
}
start || start || { echo "moto did not start" >&2; exit 1; }

LANDFAST_TEST_MOTO=$address cargo test --test moto -- "$@"
