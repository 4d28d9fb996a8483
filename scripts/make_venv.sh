#!/bin/sh
# Make the virtual environment $1 with the first Python >= 3.11 that can, or say what is missing.
# $PYTHON, when set, is the only one tried.
set -eu
venv=$1
old=""
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    version=$("$python" -V 2>/dev/null) || continue
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        old="$old $python ($version)"
        continue
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        bare=$python
        continue
    fi
    echo "Making $venv with $version ..."
    exec "$python" -m venv "$venv"
done
if [ -n "${bare:-}" ]; then
    echo "$bare has no venv module: install it (Debian: apt-get install python3-venv), then run make again." >&2
else
    echo "maskviz needs Python 3.11 or newer; found:${old:- none}. Install one from https://www.python.org/downloads/ and run make again, or name it: make app PYTHON=/path/to/python3.12" >&2
fi
exit 2
