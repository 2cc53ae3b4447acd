#!/bin/sh
# Does tools/check-format see a file that is not as .clang-format has it?
. "$(dirname "$0")/plant.sh"
command -v clang-format >/dev/null || { echo "SKIPPED: no clang-format here"; exit 77; }

"$root/tools/check-format" --fix "$copy"
passes check-format
printf 'int\nx (void)  {return 1 ;}\n' >>"$copy/src/base/err.c"
bites check-format "a badly set function" "src/base/err.c"
finish
