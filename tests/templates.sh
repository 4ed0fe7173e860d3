#!/usr/bin/env bash
# Lints every CloudFormation template, of the example and of deploy/, with cfn-lint.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/python.sh

bin=$(venv cfn-lint 'cfn-lint==1.*')
{ find example-repo -name '*.template.yaml' -o -name '*.template.json'; ls deploy/*.yaml; } | sort | xargs "$bin/cfn-lint" --
echo "every template passes"
