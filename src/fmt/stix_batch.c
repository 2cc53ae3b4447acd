#include "fmt/stix_batch.h"

#include "base/base64.h"
#include "base/time.h"
#include "fmt/json.h"
#include "fmt/stix_id.h"
#include "fmt/stix_words.h"

#define DEFINED "2026-01-01T00:00:00.000Z"

void
stix_batch_write(struct buf *out, const struct stix_batch *batch)
{
    struct span uuid = batch->id;
    struct stix_id origin;
    char time[TIME_TEXT_BYTES];

    if (span_starts(uuid, SPAN(STIX_BATCH_URN)))
        uuid =
            (struct span){uuid.p + sizeof STIX_BATCH_URN - 1, uuid.n - (sizeof STIX_BATCH_URN - 1)};
    stix_id_make(&origin, "identity", STIX_ID_OWN, batch->origin);
    struct span made = {time, time_format_ms(batch->made_us, time)};
    buf_format(out,
        ",\n{\"type\":\"" STIX_BATCH_TYPE "\",\"spec_version\":\"2.1\",\"id\":\"" STIX_BATCH_TYPE
        "--%.*s\","
        "\"created_by_ref\":\"%.*s\",\"created\":\"%.*s\",\"modified\":\"%.*s\",",
        SPAN_ARGS(uuid), (int)origin.n, origin.text, SPAN_ARGS(made), SPAN_ARGS(made));
    buf_add_text(out,
        "\"extensions\":{\"" STIX_COMITY_BATCH "\":{\"extension_type\":\"new-sdo\"}},\"log\":");
    json_add_string(out, batch->log);
    buf_format(out, ",\"entry\":%llu,\"items\":%llu,\"items_root\":\"",
        (unsigned long long)batch->entry, (unsigned long long)batch->items);
    base64_add(out, batch->items_root.bytes, sizeof batch->items_root.bytes);
    buf_add_text(out, "\",\"salt\":\"");
    base64_add(out, batch->salt.bytes, sizeof batch->salt.bytes);
    buf_add_text(out, "\"}");
}

void
stix_batch_write_definition(struct buf *out)
{
    buf_add_text(out,
        ",\n{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":\"" STIX_COMITY_BATCH
        "\",\"created_by_ref\":\"" STIX_COMITY_IDENTITY "\",\"created\":\"" DEFINED
        "\",\"modified\":\"" DEFINED "\",\"name\":\"Comity batch\",\"description\":\"By what a "
        "recipient can check what the sender's ledger says of the reports before it.\","
        "\"schema\":\"comity-batch.json, in share/schema of Comity\",\"version\":\"1.0.0\","
        "\"extension_types\":[\"new-sdo\"]}");
}
