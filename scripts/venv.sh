#!/usr/bin/env bash
# Make sure that a folder holds a virtual environment with Python 3.11, 3.12 or 3.13 that is ours.
# PYTHON names the one to take. Ours has the marker below. One that was set up to its end (it has a
# file ready-*) is kept, an unfinished one is created anew, and one without the marker is left
# alone, with an error.
set -euo pipefail
folder=${1:?give the folder of the virtual environment}
marker=$folder/made-by-make-setup

if [ -n "$(ls -A "$folder" 2>/dev/null)" ] && [ ! -e "$marker" ]; then
    cat >&2 <<END
error: $folder was not made by \`make setup\`, so it is left as it is
where: $(cd "$folder" 2>/dev/null && pwd || echo "$folder")
fix: move it away, or name another folder in every call: make setup VENV=.venv-mtdnnkd
END
    exit 2
fi
if compgen -G "$folder/ready-*" >/dev/null && [ -x "$folder/bin/python" ]; then
    exit 0
fi

# make puts the folder's own python first, which is about to be deleted.
own=$(cd "$folder" 2>/dev/null && pwd || true)/bin
PATH=:$PATH:
PATH=${PATH//:$own:/:}
PATH=${PATH#:}
PATH=${PATH%:}

for python in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            rm -rf "$folder"
            mkdir -p "$folder"
            echo "made by make setup, which may delete this folder" >"$marker"
            exec "$python" -m venv "$folder"
        fi
        echo "error: $python has no venv module; on Debian: apt install python3-venv" >&2
        exit 2
    fi
done
echo "error: no Python 3.11, 3.12 or 3.13 found${PYTHON:+ as $PYTHON}; on Debian: apt install python3 python3-venv" >&2
exit 2
