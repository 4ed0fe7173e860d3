#!/usr/bin/env bash
# Runs the core stories against moto, a simulation of AWS that nobody here wrote. Words after the script's name go to
# the test binary: `tests/moto.sh moto::drift::` runs the stories of one file.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh
. tests/emulator.sh

bin=$(venv moto 'moto[server]==5.2.5')
# Built first: the server need not wait for the compiler.
cargo test --test emulators --no-run

emulator moto "$bin/python" /moto-api/data.json \
    env 'MOTO_RECORDER_FILEPATH={folder}/recording' "$bin/moto_server" -H 127.0.0.1 -p '{port}'

LANDFAST_TEST_MOTO=$address cargo test --test emulators -- "${@:-moto::}"
