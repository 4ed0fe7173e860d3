#!/usr/bin/env bash
# Runs the core stories against moto, a simulation of AWS that nobody here wrote.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh

bin=$(venv moto 'moto[server]==5.2.5')
port=${MOTO_PORT:-5055}
log=$(mktemp)
MOTO_IAM_LOAD_MANAGED_POLICIES=true "$bin/moto_server" -H 127.0.0.1 -p "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT

for _ in $(seq 1 60); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
    sleep 0.5
done

LANDFAST_TEST_MOTO="http://127.0.0.1:$port" cargo test --test moto
