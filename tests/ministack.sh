#!/usr/bin/env bash
# Runs stories of sessions, stacks and drift against ministack, a simulation of AWS that nobody here wrote. Words after
# the script's name go to the test binary: `tests/ministack.sh ministack::drift::` runs the stories of one file.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh
. tests/emulator.sh

# Of its own: it and moto want different versions of one library.
bin=$(venv ministack 'ministack==1.5.33')
# Built first: the server need not wait for the compiler.
cargo test --test emulators --no-run

# Without AUTH it believes everybody.
emulator ministack "$bin/python" /_ministack/health \
    env BIND_HOST=127.0.0.1 'GATEWAY_PORT={port}' AUTH=true "$bin/ministack"

LANDFAST_TEST_MINISTACK=$address cargo test --test emulators -- "${@:-ministack::}"
