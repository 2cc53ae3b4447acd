#!/bin/sh
# Does tools/check-layers see every kind of wrong include?
. "$(dirname "$0")/plant.sh"

# include FILE HEADER: plant an include (of a header of ours, or of a library with <>).
include() {
    mkdir -p "$copy/$(dirname "$1")"
    case $2 in
    '<'*) printf '#include %s\n' "$2" >>"$copy/$1" ;;
    *) printf '#include "%s"\n' "$2" >>"$copy/$1" ;;
    esac
}

# refuse FILE HEADER WORDS
refuse() {
    include "$1" "$2"
    bites check-layers "$1 including $2" "$3"
}

passes check-layers
for layer in sys model fmt geo flow cli; do
    refuse src/base/str.c "$layer/x.h" "base may not include $layer/x.h"
done
refuse src/sys/x.c model/report.h "sys may not include"
refuse src/model/report.c fmt/json.h "model may not include"
refuse src/model/report.c sys/file.h "model may not include"
refuse src/fmt/json.c geo/geo.h "fmt may not include"
refuse src/fmt/json.c flow/decide.h "fmt may not include"
refuse src/geo/x.c fmt/json.h "geo may not include"
refuse src/store/x.c flow/decide.h "store may not include"
refuse src/flow/x.c cli/cli.h "flow may not include"
refuse src/edge/x.c store/store.h "edge may not include"
refuse src/edge/x.c flow/flow.h "edge may not include"
refuse src/main.c store/store.h "main may not include"
refuse src/odd/x.c base/err.h "src/odd is no layer"

for pure in attribute decide redact; do
    refuse "src/flow/$pure.c" fmt/json.h "attribute, decide and redact may not include fmt/json.h"
    refuse "src/flow/$pure.h" sys/file.h "attribute, decide and redact may not include sys/file.h"
    refuse "src/flow/$pure.c" '<time.h>' "are pure"
    refuse "src/flow/$pure.c" '<sys/stat.h>' "are pure"
done

refuse src/flow/flow.c '<sqlite3.h>' "sqlite3.h"
refuse src/store/store.c '<libpq-fe.h>' "libpq-fe.h"
refuse src/fmt/x.c '<microhttpd.h>' "microhttpd.h"
refuse src/fmt/x.c '<curl/curl.h>' "curl/curl.h"
refuse src/fmt/csv.c '<simdjson.h>' "simdjson.h"
refuse src/flow/flow.c '<seccomp.h>' "seccomp.h"
refuse src/flow/deliver.c model/redacted_private.h "redacted_private.h"
refuse src/fmt/idf.c model/redacted_private.h "redacted_private.h"
refuse tests/unit/test_x.c model/redacted_private.h "redacted_private.h"
refuse src/edge/x.c fmt/render.h "render.h"

refuse src/cli/version.c cli/completion.h "subcommand version includes subcommand completion"
refuse src/base/str.c err.h "must be named by its folder"
refuse src/base/str.c ../base/err.h "must be named by its folder"

printf '#define HEADER "flow/flow.h"\n#include HEADER\n' >>"$copy/src/base/str.c"
bites check-layers "an include by macro" "must name its file"
printf 'int x;\n' >"$copy/src/base/x.cc"
bites check-layers "C++ elsewhere" "C++ stands only in"
printf 'void raw_write(struct buf *out, const struct report *report);\n' >>"$copy/src/fmt/writer.h"
bites check-layers "a writer that takes a report" "writers take const struct redacted"
printf 'void\nmisp_write(struct buf *out, const struct report *report)\n{\n}\n' >>"$copy/src/fmt/misp.c"
bites check-layers "a writer's body that takes a report" "takes const struct redacted"

include src/store/sqlite/x.c '<sqlite3.h>'
include src/edge/x.c '<microhttpd.h>'
include src/flow/attribute.c geo/geo.h
include src/cli/route.c flow/decide.h
passes check-layers
finish
