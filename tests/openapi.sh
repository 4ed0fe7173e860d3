#!/usr/bin/env bash
# Proves that tests/openapi/github.json is what GitHub's own description says. `tests/openapi.sh --write` makes it anew.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh

bin=$(venv npm)
cache="${CARGO_TARGET_DIR:-target}/npm-openapi"
"$bin/python" tests/npm.py "$cache" \
    '@octokit/openapi@23.0.2=sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==#generated/api.github.com.json'
cut() { "$bin/python" tests/openapi/cut.py "$cache/node_modules/@octokit/openapi/generated/api.github.com.json"; }

if [ "${1:-}" = --write ]; then
    cut >tests/openapi/github.json
else
    cut | diff - tests/openapi/github.json >&2 || {
        echo "tests/openapi/github.json is not what GitHub describes; run tests/openapi.sh --write" >&2
        exit 1
    }
    echo "the cut is what GitHub describes"
fi
