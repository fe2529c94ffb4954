#!/bin/sh
# Runs Caddy with the Caddyfile, which suits its version: `sh deploy/caddy.sh run` or `sh deploy/caddy.sh validate`.
# CADDYFILE names another one than that beside this script.
set -eu
file=${CADDYFILE:-$(dirname "$0")/Caddyfile}
needed=2.6.2

# "v2.11.4 h1:…" or, of Debian, "2.6.2".
version=$(caddy version | sed 's/^v//; s/[^0-9.].*//')

# Whether one version comes before another: a number for each, as 2.11.4 makes 2011004.
number() {
    echo "$1" | awk -F . '{ printf "%d%03d%03d\n", $1, $2, $3 }'
}

if [ "$(number "$version")" -lt "$(number $needed)" ]; then
    echo "$file needs Caddy $needed or later, and this is ${version:-an unknown version}." >&2
    exit 1
fi
# Caddy collects a body before it asks web: somewhat more than the largest one, so that all of it fits. Not before 2.7,
# where it answers a body that was broken off with an empty 200; web has a deadline of its own.
BODY_BUFFER=
if [ "$(number "$version")" -ge "$(number 2.7.0)" ]; then
    BODY_BUFFER="request_buffers 1100KiB"
fi
export BODY_BUFFER
exec caddy "$@" --config "$file" --adapter caddyfile
