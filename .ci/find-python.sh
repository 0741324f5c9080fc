#!/bin/sh
# Prints the first Python that is 3.11 or newer and can make environments; says what is missing
# where there is none. A name on the PATH may be a shim that runs nothing, so each is tried.
# usage: find-python.sh [CANDIDATE...]
set -u

too_old=""
no_venv=""
[ $# -gt 0 ] || set -- python3.11 python3.12 python3.13 python3 /usr/bin/python3.11 /usr/bin/python3

for candidate in "$@"; do
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
        continue
    if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        too_old="$too_old $candidate ($version)"
    elif ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
        no_venv="$no_venv $candidate ($version)"
    else
        echo "$candidate"
        exit 0
    fi
done

{
    if [ -n "$no_venv" ]; then
        echo "This Python cannot make environments:$no_venv."
        echo "Get the missing part with: sudo apt-get install python3-venv"
    elif [ -n "$too_old" ]; then
        echo "driftwatch needs Python 3.11 or newer; found only:$too_old."
        echo "Install a newer one, or name it: make PYTHON=/path/to/python3.11 ..."
    else
        echo "driftwatch needs Python 3.11 or newer; none of these runs: $*."
        echo "Get one with: sudo apt-get install python3 python3-venv"
    fi
} >&2
exit 1
