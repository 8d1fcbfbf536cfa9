#!/usr/bin/env bash
# ansible-test sanity on a copy of what git knows (tracked, and new but not ignored), with the ansible-test on PATH.
# usage: run.sh [ansible-test sanity argument ...]       --list-tests, --test validate-modules, ...
#
# Everything is made below .cache/sanity, which is HOME for ansible-test too: its environments are kept there.
set -euo pipefail
checkout=$(git rev-parse --show-toplevel)
cache=$checkout/.cache/sanity
version=$(python -c 'from importlib.metadata import version; print(".".join(version("ansible-core").split(".")[:2]))')
copy=$cache/$version/ansible_collections/vigil/ports

rm -rf "$copy"
mkdir -p "$copy"
cd "$checkout"
# A file deleted but not yet committed is known to git, and not there.
git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | xargs -0 cp --parents --no-dereference --target-directory="$copy"
# ansible-test asks git for the files, and would find the checkout, which ignores .cache.
git init --quiet "$copy"

# The Pythons to compile and import with: each that starts. A folder on PATH with one that does not (a shim of a
# version manager that leads nowhere) is left out, since ansible-test takes it for a Python and stops.
works() {
    [ -x "$1" ] && "$1" -c '' </dev/null >/dev/null 2>&1
}
rm -rf "${cache:?}/bin"
mkdir -p "$cache/bin"
found=()
for minor in $(seq 8 14); do
    name=python3.$minor
    for candidate in $(type -ap "$name") "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor".*/bin/"$name"; do
        if works "$candidate"; then
            ln -sfn "$("$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$cache/bin/$name"
            found+=("3.$minor")
            break
        fi
    done
done
path=$(dirname "$(command -v ansible-test)"):$cache/bin
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
    usable=1
    for program in "$folder"/python3.[0-9]*; do
        [[ ! $program =~ /python3\.[0-9]+$ ]] || works "$program" || usable=
    done
    [ -z "$usable" ] || path=$path:$folder
done
echo "ansible-core $version, Pythons: ${found[*]}"

# ansible-test asks for a download of get-pip by version; answered here.
mkdir -p "$cache/home/.ansible/test/cache"
pip_version=$(python - <<'PYTHON'
import pathlib, re
import ansible_test
source = pathlib.Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text(encoding="utf-8")
print(re.search(r"pip='([0-9.]+)'", source).group(1).replace(".", "_"))
PYTHON
)
cp tests/sanity/get_pip.py "$cache/home/.ansible/test/cache/get_pip_$pip_version.py"

# ansible-test hands neither PIP_* variables nor the user's own pip.conf on; both may say where packages come from.
mkdir -p "$cache/home/.config/pip" "$cache/home/.pip"
{
    printf '[global]\nquiet = 1\n'
    env | sed -nE 's/^PIP_([A-Z_]+)=(.*)$/\L\1\E = \2/p' | sed -E ':a; s/^([^ ]*)_/\1-/; ta'
} >"$cache/home/.config/pip/pip.conf"
rm -f "$cache/home/.pip/pip.conf"
for configuration in "$HOME/.pip/pip.conf" "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"; do
    [ ! -e "$configuration" ] || ln -sfn "$configuration" "$cache/home/.pip/pip.conf"
done

cd "$copy"
HOME=$cache/home ANSIBLE_HOME=$cache/home/.ansible PATH=$path exec ansible-test sanity --local --color no "$@" </dev/null
