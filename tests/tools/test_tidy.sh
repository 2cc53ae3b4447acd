#!/bin/sh
# Does tools/check-tidy (with .clang-tidy) see a fault that a compiler lets pass? usage: BUILD-FOLDER
. "$(dirname "$0")/plant.sh"
command -v clang-tidy >/dev/null || { echo "SKIPPED: no clang-tidy here"; exit 77; }

fault=$copy/fault.c
cp "$root/.clang-tidy" "$copy/"
cat >"$fault" <<'END'
#include <string.h>
int faulty(const char *text);
int faulty(const char *text) { return strcmp(text, "a") == 1; }
END
if clang-tidy --quiet --warnings-as-errors='*' "$fault" -- >"$copy/log" 2>&1; then
    echo "not ok: clang-tidy let a suspicious strcmp pass"
    failures=1
fi
grep -q bugprone-suspicious-string-compare "$copy/log" || { cat "$copy/log"; failures=1; }
finish
