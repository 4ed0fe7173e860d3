#!/usr/bin/env bash
# Kills a rollout of twenty accounts (SIGKILL) before, inside and after calls it makes, starts it again, and judges where
# it ends by what AWS, GitHub and git then hold.
#
#   tests/kills.sh                        a sample of 60
#   tests/kills.sh --calls 300 --seed 7   so many, drawn with this seed
#   tests/kills.sh --all                  every moment of every call, about 3,000: hours
#   tests/kills.sh --part 2/4             the second quarter of that
#   tests/kills.sh --point 'aws:CreateAccount:management:7:inside'
set -euo pipefail
cd "$(dirname "$0")/.."

while [ $# -gt 0 ]; do
    case $1 in
    --all) export LANDFAST_KILLS=all ;;
    --calls | --point | --part) export LANDFAST_KILLS=${2:?"$1 needs a value"} && shift ;;
    --seed) export LANDFAST_KILLS_SEED=${2:?"$1 needs a value"} && shift ;;
    *) echo "unknown option $1; see the head of $0" >&2 && exit 2 ;;
    esac
    shift
done

cargo test --test it kill_matrix:: -- --nocapture
