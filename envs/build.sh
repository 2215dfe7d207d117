#!/bin/sh
# Build .venv from a lock, or leave it alone if it holds that lock already.
#
#   envs/build.sh            what a run needs         (envs/requirements.lock)
#   envs/build.sh dev        and the tests' tools     (envs/requirements-dev.lock, a superset)
#   envs/build.sh experiments    and what trains the experiments again (a superset, too)
#
# Uses uv where it is on PATH, pip otherwise; both check every hash and compile every module.
# PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

base=envs/requirements.lock
lock=envs/requirements${1:+-$1}.lock
# A copy of each lock that .venv holds, written last: an interrupted build has none.
stamps=.venv/locks

holds() { cmp -s "$1" "$stamps/$(basename "$1")"; }

if holds "$lock" && holds "$base" && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

uv=$(command -v uv || true)
wanted="Python 3.12, 3.13 or 3.14"
modules=sys
if [ -z "$uv" ]; then
    wanted="$wanted with its modules venv and ensurepip"
    modules=venv,ensurepip
fi

usable() {
    # A pyenv shim may be on PATH and still fail, so each candidate has to run.
    "$1" -c "import sys, $modules; sys.exit(not (3, 12) <= sys.version_info[:2] < (3, 15))" 2>/dev/null
}

pyenv=${PYENV_ROOT:-$HOME/.pyenv}
find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.14 python3.12 \
        "$pyenv"/versions/3.13*/bin/python3 "$pyenv"/versions/3.1[24]*/bin/python3}; do
        if usable "$name"; then
            command -v "$name"
            return
        fi
    done
}

explain() {
    echo "metamirage needs $wanted. Found:"
    for name in ${PYTHON:-} python3 python3.12 python3.13 python3.14; do
        path=$(command -v "$name" 2>/dev/null) || continue
        echo "  $path: $("$name" --version 2>&1 | head -n 1)"
    done
    cat <<'END'
Get one by any of:
  the installer or source of python.org
  your system's packages, such as python3.13 and python3.13-venv
  conda env create -f envs/environment.yaml && conda activate metamirage
  pyenv install 3.13
  uv python install 3.13
and run the same command again, or name it: make demo PYTHON=/path/to/python3.13
END
}

install() {
    if [ -n "$uv" ]; then
        # Without compiled modules imports take 20 s in every process instead of 6 s.
        "$uv" pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode "$lock"
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --compile \
            --require-hashes -r "$lock"
    fi
}

# What a run needs is there and unchanged: the tests' tools only come on top.
if ! { holds "$base" && .venv/bin/python -c '' 2>/dev/null; } ||
    { [ -z "$uv" ] && ! .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    rm -rf .venv
    if [ -n "$python" ] && [ -n "$uv" ]; then
        "$uv" venv --quiet --no-python-downloads --python "$python" .venv
    elif [ -n "$python" ]; then
        "$python" -m venv .venv
    elif [ -z "$uv" ] || ! "$uv" venv --quiet --python "$(cat .python-version)" .venv; then
        explain >&2
        exit 1
    fi
fi

echo "Installing $lock into .venv ($(.venv/bin/python --version), ${uv:-pip}); this takes a minute or two" >&2
install
mkdir -p "$stamps"
for file in "$base" "$lock"; do cp "$file" "$stamps"; done
