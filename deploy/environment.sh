#!/bin/sh
# Makes .venv and installs a lock file into it; does nothing where that has been done with the same lock.
# Usage: sh deploy/environment.sh requirements.txt
set -eu
cd "$(dirname "$0")/.."
lock=$1
venv=.venv
# The servers in the packages may run as another user, who must be able to read them.
umask 022

# A python of 3.12 to 3.14 is executed to find out: version managers put commands on the path that only say
# that this version isn't installed.
suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

find_python() {
    for candidate in "${PYTHON:-}" python3.13 python3.14 python3.12 python3 python; do
        if [ -n "$candidate" ] && suits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    newest=
    for candidate in "$HOME"/.pyenv/versions/3.1[234]*/bin/python; do
        if suits "$candidate"; then
            newest=$candidate
        fi
    done
    echo "$newest"
}

if ! suits $venv/bin/python; then
    python=$(find_python)
    if [ -z "$python" ]; then
        echo "Huuva needs Python 3.12, 3.13 or 3.14 with venv, and none was found: install one, or set PYTHON=/path/to/it." >&2
        exit 1
    fi
    rm -rf $venv
    echo "Making $venv with $("$python" --version)"
    "$python" -m venv $venv
fi

# One line for each lock that is installed. The development lock holds all of the other one, so it counts for both.
stamp=$venv/installed
if [ -f $stamp ] && grep -qxF "$(cksum "$lock")" $stamp; then
    exit 0
fi
if ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    $venv/bin/python -m ensurepip --upgrade >/dev/null # an earlier start was interrupted
fi
echo "Installing $lock, once (a minute or so)"
rm -f $stamp
$venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
if [ "$lock" = requirements-dev.txt ]; then
    cksum requirements.txt requirements-dev.txt >$stamp
else
    cksum "$lock" >$stamp
fi
