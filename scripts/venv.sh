#!/usr/bin/env bash
# Create a virtual environment with Python 3.11, or say what to install.
set -euo pipefail
folder=$1
for python in python3.11 python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            exec "$python" -m venv "$folder"
        fi
        echo "error: $python has no venv module; on Debian: apt install python3.11-venv" >&2
        exit 2
    fi
done
echo "error: no Python 3.11 found; on Debian 12: apt install python3 python3-venv" >&2
exit 2
