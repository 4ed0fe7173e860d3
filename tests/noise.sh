#!/usr/bin/env bash
# Rolls a fleet out under noise, once for each of so many seeds: `tests/noise.sh 200`. One seed again, exactly as it
# was dealt: `tests/noise.sh 17..18`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Thousands of small files are written and thrown away; memory is the place for them where there is some.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
    export TMPDIR=/dev/shm
fi
NOISE_SEEDS=${1:-200} cargo test --test it -- stories::noise::under_noise --nocapture
