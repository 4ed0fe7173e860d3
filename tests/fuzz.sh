#!/usr/bin/env bash
# Fuzzes what reads files, templates and expressions, beginning with what example-repo holds. Needs a C++ compiler.
#
#     tests/fuzz.sh              # every target for 30 seconds
#     tests/fuzz.sh 600 load     # one of them for ten minutes
#
# What was found to be of interest stays in target/fuzz/corpus, and the next run goes on from there. An input that fails
# is left in target/fuzz/found; `target/fuzz/<host>/release/load FILE` runs it again.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(expression load template)
host=$(rustc -vV | sed -n 's/^host: //p')
at=$PWD/target/fuzz
seeds=$at/seeds
rm -rf "$seeds"
mkdir -p "$at/found" "$seeds"/{expression,load,template}

# What libFuzzer asks of the compiler; with --target it is asked for what is fuzzed and not for what builds it.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth
  -Cdebug-assertions -Cdebuginfo=line-tables-only --cfg fuzzing"
cargo build --release --locked --manifest-path fuzz/Cargo.toml --target-dir "$at" --target "$host"
unset RUSTFLAGS

# The files of one account with every baseline in turn, in the order of the target's PATHS, parted by a byte that no
# text has.
repository() {
  local file
  for file in landfast.yaml organization/organization.yaml "$@"; do
    sed -E 's/[a-z0-9-]+\.template\.yaml/net.template.yaml/; s/[a-z0-9-]+\.xml/idp.xml/' "example-repo/$file"
    printf '\xff'
  done
}

in_example() { (cd example-repo && find "$@" | sort); }

templates=$(in_example . -name '*.template.yaml')
first=$(head -n 1 <<<"$templates")
metadata=$(in_example . -name '*.xml' | head -n 1)
n=0
for account in $(in_example accounts -name account.yaml); do
  for baseline in $(in_example baselines -name baseline.yaml); do
    n=$((n + 1))
    repository "$baseline" "$account" "$first" >"$seeds/load/$n"
  done
done
repository "$baseline" "$account" "$first" "$metadata" >"$seeds/load/metadata"
for template in $templates; do cp "example-repo/$template" "$seeds/template/$(tr / - <<<"${template#./}")"; done
grep -rhoE '\$\{\{[^}]*\}\}' example-repo --include='*.yaml' | sort -u | split -l 1 - "$seeds/expression/"
# libFuzzer cannot see into comparisons of whole texts: it is told the words.
grep -rhoE '[A-Za-z]+(::[A-Za-z0-9]+)*:|![A-Za-z]+|\$\{\{|\}\}' example-repo --include='*.yaml' | sort -u | sed 's/.*/"&"/' >"$at/words"

for target in "${targets[@]}"; do
  mkdir -p "$at/corpus/$target"
  log=$at/$target.log
  echo "$target: $seconds s"
  if ! "$at/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -dict="$at/words" \
    -artifact_prefix="$at/found/$target-" "$at/corpus/$target" "$seeds/$target" >"$log" 2>&1; then
    tail -n 60 "$log"
    exit 1
  fi
  tail -n 1 "$log"
done
echo "nothing was found"
