#!/bin/bash
# Does the completion offer commands and a command's own options? usage: PROGRAM
set -eu
program=${1:?}
PATH=$(dirname "$program"):$PATH
failed=0
# shellcheck disable=SC1090
source <("$program" completion bash)

offers() {
    COMP_WORDS=(comity "$@")
    COMP_CWORD=$#
    _comity
    printf '%s\n' "${COMPREPLY[@]}"
}

# expect WORD TYPED...
expect() {
    word=$1
    shift
    offers "$@" | grep -qx -e "$word" || { echo "not ok: \"comity $*\" does not offer $word"; failed=1; }
}

while read -r name; do
    expect "$name" "${name:0:2}"
done < <("$program" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
expect build geo b
expect --out route --o
expect --listen.partners serve --listen.
expect --no-sandbox serve --no
expect check config c
expect --strict agreement lint --s
expect audit ledger a
expect --against ledger audit --a
expect --witness verify --w
expect --classification reports --c
expect --on agreement simulate draft.json --o
[ "$("$program" help | grep -c '^  [a-z]')" -ge 4 ] || { echo "not ok: hardly any command"; failed=1; }
exit $failed
