# shellcheck shell=sh disable=SC2154
# Shared by bin/polyvalent and bin/test, which set $root: find or make the environment .venv.
# POSIX sh. What takes time or thought is in bin/bootstrap.py; here is only the quick answer
# "everything is as it was", and the choice of an interpreter.

venv=$root/.venv
# Settings of other environments would lead the new interpreter astray.
unset PYTHONHOME PYTHONPATH

# Say whether the environment holds what requirements/$1.txt asks for. The record of an
# installation is a copy of the lock, written last; line 1 of "place" is where the repository
# lay, line 2 the POLYVALENT_PYTHON that was asked for.
environment_is_ready() {
    [ -x "$venv/bin/python" ] &&
        cmp -s "$root/requirements/$1.txt" "$venv/installed-$1.txt" &&
        { IFS= read -r place && IFS= read -r asked; } 2>/dev/null <"$venv/place" &&
        [ "$place" = "$root" ] &&
        { [ -z "${POLYVALENT_PYTHON:-}" ] || [ "$POLYVALENT_PYTHON" = "$asked" ]; }
}

# Print the first interpreter that runs and is new enough. A pyenv shim may exist and not run.
choose_python() {
    if [ -n "${POLYVALENT_PYTHON:-}" ]; then
        set -- "$POLYVALENT_PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    for candidate; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

# Make the environment hold requirements/$1.txt; end the script with one line if it cannot.
prepare_environment() {
    environment_is_ready "$1" && return
    if ! python=$(choose_python); then
        if [ -n "${POLYVALENT_PYTHON:-}" ]; then
            echo "polyvalent: POLYVALENT_PYTHON=$POLYVALENT_PYTHON is not a Python 3.11 or newer that runs." >&2
        else
            echo "polyvalent: needs Python 3.11, 3.12 or 3.13. On Debian 12 or Ubuntu 24.04: sudo apt-get install python3" >&2
        fi
        exit 1
    fi
    "$python" -I "$root/bin/bootstrap.py" "$1" || exit $?
}
