#!/bin/sh
# Makes .venv and installs a lock file into it; does nothing where that has been done with the same lock.
# Usage: sh deploy/environment.sh requirements.txt
# PYTHON names the Python to make it with. SERVICE_USER, where root installs for a service: who must be able to run it.
set -eu
cd "$(dirname "$0")/.."
lock=$1
venv=.venv
user=${SERVICE_USER:-}
# The servers in the packages may run as another user, who must be able to read them.
umask 022

# A python of 3.12 to 3.14 is executed to find out: version managers put commands on the path that only say
# that this version isn't installed.
suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

# usable_by NAME PYTHON [PATH]: whether that user can run PATH, or else the program itself that PYTHON stands for. Root's
# own Pythons often lie in a home folder that nobody else may enter.
usable_by() {
    "$2" -I -c '
import os, pwd, sys

user = pwd.getpwnam(sys.argv[1])
python = sys.argv[2] or os.path.realpath(sys.executable)
os.chdir("/")
os.initgroups(user.pw_name, user.pw_gid)
os.setgid(user.pw_gid)
os.setuid(user.pw_uid)
os.execv(python, [python, "-I", "-c", "import encodings, ssl, venv"])
' "$1" "${3:-}" >/dev/null 2>&1
}

candidates() {
    for candidate in "${PYTHON:-}" python3.13 python3.14 python3.12 python3 python /usr/bin/python3 /usr/local/bin/python3; do
        if [ -n "$candidate" ]; then
            echo "$candidate"
        fi
    done
    ls -1r "$HOME"/.pyenv/versions/3.1[234]*/bin/python 2>/dev/null || true
}

# The first that suits, and that the user, if one is given, can run.
find_python() {
    candidates | while read -r candidate; do
        if suits "$candidate" && { [ -z "${1:-}" ] || usable_by "$1" "$candidate"; }; then
            echo "$candidate"
            break
        fi
    done
}

if [ -n "$user" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "SERVICE_USER is for root, who installs for another user: leave it out, or start as root." >&2
        exit 1
    fi
    if ! id "$user" >/dev/null 2>&1; then
        echo "There is no user $user (SERVICE_USER): make it first." >&2
        exit 1
    fi
fi

anew=
if ! suits $venv/bin/python; then
    anew=yes
elif [ -n "$user" ] && ! usable_by "$user" $venv/bin/python; then
    echo "$user cannot run the Python of $venv: it is made anew."
    anew=yes
fi
if [ -n "$anew" ]; then
    python=
    if [ -n "$user" ]; then
        python=$(find_python "$user")
        if [ -z "$python" ]; then
            other=$(find_python)
            echo "There is no Python 3.12, 3.13 or 3.14 that $user can run${other:+ ($other is root's alone)}: install one for all users, such as" >&2
            echo "the distribution's python3 and python3-venv, or set PYTHON=/path/to/it." >&2
            exit 1
        fi
    elif [ "$(id -u)" = 0 ]; then
        # Root's own works too as long as root runs it, as `make run` does.
        python=$(find_python nobody)
    fi
    if [ -z "$python" ]; then
        python=$(find_python)
        if [ -n "$python" ] && [ "$(id -u)" = 0 ]; then
            echo "Only root can run $python. For a service of another user: SERVICE_USER=huuva sh $0 $lock"
        fi
    fi
    if [ -z "$python" ]; then
        echo "Huuva needs Python 3.12, 3.13 or 3.14 with venv, and none was found: install one, or set PYTHON=/path/to/it." >&2
        exit 1
    fi
    rm -rf $venv
    echo "Making $venv with $("$python" --version)"
    "$python" -m venv $venv
fi
if [ -n "$user" ] && ! usable_by "$user" $venv/bin/python "$PWD/$venv/bin/python"; then
    echo "$user cannot run $PWD/$venv/bin/python: put the project where all users may read it, such as /opt/huuva." >&2
    exit 1
fi

# One line for each lock that is installed. The development lock holds all of the other one, so it counts for both.
stamp=$venv/installed
if [ -f $stamp ] && grep -qxF "$(cksum "$lock")" $stamp; then
    exit 0
fi
if ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    $venv/bin/python -m ensurepip --upgrade >/dev/null # an earlier start was interrupted
fi

# Reads what pip says, and says how far it is: one line that changes on a terminal, a few lines elsewhere.
show_progress() {
    total=$(grep -c '^[A-Za-z0-9].*==' "$lock" || true)
    count=0
    shown=0
    while read -r word _; do
        case $word in
        Ignoring) total=$((total - 1)) ;; # for other systems
        Collecting | Processing | Requirement)
            count=$((count + 1))
            if [ -t 1 ]; then
                printf '\r  %d of %d packages fetched' "$count" "$total"
            elif [ $((count * 4 / total)) -gt $shown ]; then
                shown=$((count * 4 / total))
                echo "  $count of $total packages fetched"
            fi
            ;;
        Installing)
            if [ -t 1 ]; then
                echo
            fi
            echo "  Installing them"
            ;;
        esac
    done
}

echo "Installing $lock, once (a minute or so)"
rm -f $stamp
# The result of pip, which a pipe doesn't pass on.
result=$venv/install-result
{
    code=0
    PYTHONUNBUFFERED=1 $venv/bin/python -m pip install --disable-pip-version-check --no-color --progress-bar off \
        --require-hashes --requirement "$lock" || code=$?
    echo $code >$result
} | show_progress
code=$(cat $result)
rm -f $result
if [ "$code" != 0 ]; then
    echo "pip could not install $lock; the lines above say why. The same command goes on where it stopped." >&2
    exit "$code"
fi
if [ "$lock" = requirements-dev.txt ]; then
    cksum requirements.txt requirements-dev.txt >$stamp
else
    cksum "$lock" >$stamp
fi
