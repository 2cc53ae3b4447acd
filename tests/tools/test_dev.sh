#!/bin/sh
# Does ./dev say what it can do, and refuse what it cannot?
set -eu
dev=${COMITY_TEST_ROOT:?}/dev

for command in deps build run test bench fuzz oracle faults lab interop lint asan clean; do
    "$dev" | grep -Eq "^  $command " || { echo "not ok: ./dev does not name $command"; exit 1; }
done
! "$dev" nonsense >/dev/null 2>&1 || { echo "not ok: ./dev nonsense succeeds"; exit 1; }
! "$dev" lint nonsense >/dev/null 2>&1 || { echo "not ok: ./dev lint nonsense succeeds"; exit 1; }
