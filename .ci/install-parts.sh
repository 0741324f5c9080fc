#!/bin/sh
# The real parts that tests use: PostgreSQL, Prometheus and its promtool, and systemd's checker.
# As root, what is missing is installed, without starting its services. Otherwise a line says what
# to install, and the tests that need it skip (where CI is set, they fail).
set -u

missing=""
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    missing="$missing postgresql"
{ command -v promtool && command -v prometheus; } >/dev/null 2>&1 || missing="$missing prometheus"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Not installed:$missing. Tests that need them skip; get them with:"
    echo "    sudo apt-get install$missing"
    exit 0
fi

# Debian asks this program before a package may start its service: 101 means no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

echo "Installing for the tests:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086  # a list of words
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; } \
    </dev/null >"$log" 2>&1; then
    tail -n 5 "$log"
    echo "Could not install:$missing. Tests that need them skip, or fail where CI is set."
fi
rm -f "$log"
exit 0
