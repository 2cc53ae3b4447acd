#!/bin/sh
# Is every page given sound mdoc, with a name and no empty section? usage: check.sh PAGE...
set -u
command -v mandoc >/dev/null || { echo "SKIPPED: no mandoc here; ./dev deps installs it"; exit 77; }
failed=0
for page in "$@"; do
    mandoc -T lint -W warning "$page" || failed=1
    mandoc -T ascii "$page" | sed 's/.\x08//g' | grep -q '^NAME' || { echo "$page: no NAME"; failed=1; }
    if grep -n '^@' "$page"; then
        echo "$page: a directive was not filled in"
        failed=1
    fi
done
[ $# -gt 0 ] || { echo "no pages"; failed=1; }
exit $failed
