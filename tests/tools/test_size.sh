#!/bin/sh
# Does tools/check-size see long functions and long files, and exceptions that nobody needs?
. "$(dirname "$0")/plant.sh"

# lines N TEXT
lines() {
    i=0
    while [ "$i" -lt "$1" ]; do
        printf '%s\n' "$2"
        i=$((i + 1))
    done
}

# A C function of N lines, its name's and its brace's included.
function_of() {
    printf '\nint\nlong_one(int x)\n{\n'
    lines $(($1 - 3)) '    x++;'
    printf '}\n'
}

passes check-size
function_of 71 >>"$copy/src/base/err.c"
bites check-size "a function of 71 lines" "src/base/err.c:long_one: function of 71 lines"
function_of 71 >"$copy/tests/unit/test_long.c"
bites check-size "a test's function of 71 lines" "test_long.c:long_one"
lines 601 '/* line */' >"$copy/src/base/long.h"
bites check-size "a file of 601 lines" "src/base/long.h: file of 601 lines"
mkdir -p "$copy/tests/oracle"
{ echo 'def long_one(x):'; lines 71 '    x += 1'; echo; echo 'y = 1'; } >"$copy/tests/oracle/long.py"
bites check-size "a Python function of 72 lines" "long.py:long_one: function of 72 lines"
echo 'src/base/err.c 700 it was long once' >>"$copy/tools/size-exceptions"
bites check-size "an exception not needed" "needs no exception"
echo 'src/base/gone.c 700 it was there once' >>"$copy/tools/size-exceptions"
bites check-size "an exception for a file that is gone" "is not there any more"
echo 'src/base/err.c:x 90' >>"$copy/tools/size-exceptions"
bites check-size "an exception without a reason" "gives no reason"

function_of 70 >>"$copy/src/base/err.c"
lines 600 '/* line */' >"$copy/src/base/long.h"
passes check-size
fresh
function_of 80 >>"$copy/src/base/err.c"
echo 'src/base/err.c:long_one 80 a table of cases that reads best in one piece' >>"$copy/tools/size-exceptions"
passes check-size
finish
