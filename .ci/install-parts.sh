#!/bin/sh
# The real parts that tests use: PostgreSQL, Prometheus with its promtool, Alertmanager with its
# amtool, Chromium, systemd's checker of units, node with the types of Grafana's dashboards, and curl.
# As root, what is missing is installed, without starting its services. Otherwise a line says what to
# install, and the tests that need it skip (where CI is set, they fail).
set -u

# For as long as a package is installed: Debian asks this program before a package may start its
# service, and 101 means no.
policy=/usr/sbin/policy-rc.d
# Beside this script, out of version control.
types=${0%/*}/grafana-schema

install_packages() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "Not installed:$missing. Tests that need them skip; get them with:"
        echo "    sudo apt-get install$missing"
        return
    fi
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
}

install_types() {
    echo "Installing for the tests: the types of Grafana (once)"
    log=$(mktemp)
    if ! (cd "$types" && npm ci) </dev/null >"$log" 2>&1; then
        tail -n 5 "$log"
        echo "Could not install the types of Grafana. Tests that need them skip, or fail where CI is set."
    fi
    rm -f "$log"
}

missing=""
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    missing="$missing postgresql"
{ command -v promtool && command -v prometheus; } >/dev/null 2>&1 || missing="$missing prometheus"
{ command -v amtool && command -v prometheus-alertmanager; } >/dev/null 2>&1 ||
    missing="$missing prometheus-alertmanager"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
{ command -v node && command -v npm; } >/dev/null 2>&1 || missing="$missing nodejs npm"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
[ -z "$missing" ] || install_packages

# npm notes what it installed; that is too old once the lock is newer.
noted=$types/node_modules/.package-lock.json
if command -v npm >/dev/null 2>&1 &&
    { [ ! -e "$noted" ] || [ "$types/package-lock.json" -nt "$noted" ]; }; then
    install_types
fi
exit 0
