# Sourced by the scripts beside it: makes a Python virtual environment under target/ with the packages named.
# usage: venv NAME PACKAGE...   prints the path of its bin folder
venv() {
    local dir="${CARGO_TARGET_DIR:-target}/venv-$1"
    shift
    if ! "$dir/bin/python" -m pip --version >/dev/null 2>&1; then
        rm -rf "$dir"
        python3 -m venv "$dir" >&2 || {
            # Debian's Python comes without the module.
            apt-get update -qq >&2 && apt-get install -y -qq python3 python3-venv >&2 && python3 -m venv "$dir" >&2
        }
    fi
    # `set -e` does not reach into the substitution this is called from.
    [ $# -eq 0 ] || "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2 || return 1
    (cd "$dir/bin" && pwd)
}
