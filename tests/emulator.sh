# Sourced by the scripts beside it: starts a server for the stories in tests/emulators and stops it in the end.
# usage: emulator NAME PYTHON HEALTH command...   where {port} stands for the port and
# {folder} for a folder that goes in the end; leaves the address in $address

# These tests wait for a server most of the time, unlike the others.
export RUST_TEST_THREADS=8

free_port() {
    "$1" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

is_up() {
    "$1" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$2" 2>/dev/null
}

stop() {
    status=$?
    trap - EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    if [ "$status" -ne 0 ] && [ -s "$folder/log" ]; then
        printf '\n== the last lines of %s\n' "$emulator" >&2
        grep -v ' 200 -$' "$folder/log" | tail -n 40 >&2 || true
    fi
    rm -rf "$folder"
    exit "$status"
}

start() {
    local python=$1 health=$2 port
    shift 2
    port=$(free_port "$python")
    address=http://127.0.0.1:$port
    local -a command=("${@//\{port\}/$port}")
    "${command[@]//\{folder\}/$folder}" >"$folder/log" 2>&1 &
    server=$!
    for _ in $(seq 1 120); do
        kill -0 "$server" 2>/dev/null || return 1
        if is_up "$python" "$address$health"; then return 0; fi
        sleep 0.5
    done
    return 1
}

emulator() {
    emulator=$1
    shift
    folder=$(mktemp -d)
    server=
    trap stop EXIT
    trap 'exit 130' INT TERM
    # Somebody may take the port before the server does, so there is more than one try.
    start "$@" || start "$@" || { echo "$emulator did not start" >&2; exit 1; }
}
