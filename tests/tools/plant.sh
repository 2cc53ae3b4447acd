# Sourced by the checkers' tests: a copy of the sources, and faults planted in it one at a time.
set -eu
root=${COMITY_TEST_ROOT:?}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failures=0

fresh() {
    rm -rf "${copy:?}"/*
    for folder in src tests fuzz bench doc tools; do
        [ ! -d "$root/$folder" ] || cp -r "$root/$folder" "$copy/"
    done
    cp "$root/dev" "$root/.clang-format" "$copy/"
}

# passes CHECKER: on the sources as they are.
passes() {
    if ! output=$("$root/tools/$1" "$copy"); then
        echo "not ok: $1 complains about the project itself:"
        echo "$output"
        failures=$((failures + 1))
    fi
}

# bites CHECKER WHAT WORDS: the planted fault is refused, with WORDS in what it says.
bites() {
    if output=$("$root/tools/$1" "$copy" 2>&1); then
        echo "not ok: $1 let pass: $2"
        failures=$((failures + 1))
    elif ! printf '%s\n' "$output" | grep -qF -- "$3"; then
        echo "not ok: $1 on \"$2\" does not say \"$3\" but:"
        echo "$output"
        failures=$((failures + 1))
    else
        echo "ok: $1 refuses $2"
    fi
    fresh
}

finish() {
    [ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
}

fresh
