/* What every STIX bundle of Comity begins and ends with: the TLP 2.0 markings as OASIS
 * published them, Comity's extension definition, and the origin's identity. */
#include "fmt/json.h"
#include "fmt/stix_id.h"
#include "fmt/stix_words.h"
#include "fmt/writer.h"

#define TLP2_CREATED "2022-10-01T00:00:00.000Z"
#define DEFINED "2026-01-01T00:00:00.000Z"

static const char own_definitions[] =
    "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"" STIX_COMITY_IDENTITY
    "\",\"created\":\"" DEFINED "\",\"modified\":\"" DEFINED
    "\",\"name\":\"Comity\",\"identity_class\":\"system\"},\n"
    "{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":\"" STIX_COMITY_EXTENSION
    "\",\"created_by_ref\":\"" STIX_COMITY_IDENTITY "\",\"created\":\"" DEFINED
    "\",\"modified\":\"" DEFINED "\",\"name\":\"Comity report\",\"description\":\"What a report "
    "between CSIRTs says beside its observables, "
    "and under which clauses it was released.\",\"schema\":\"comity-report.json, in share/schema "
    "of Comity\","
    "\"version\":\"1.0.0\",\"extension_types\":[\"property-extension\"]}";

static void
add_marking(struct buf *out, enum tlp tlp)
{
    buf_format(out,
        "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":"
        "\"" TLP2_CREATED "\",\"name\":\"%s\",\"extensions\":{\"" STIX_TLP2_EXTENSION
        "\":{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"%s\"}}},\n",
        stix_words_marking(tlp), tlp_label(tlp), tlp_word(tlp));
}

void
stix_write_identity(struct buf *out, const struct release_note *note)
{
    struct stix_id id;

    stix_id_make(&id, "identity", STIX_ID_OWN, note->origin);
    buf_format(out,
        ",\n{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"%s\",\"created\":\"" DEFINED
        "\",\"modified\":\"" DEFINED "\",\"name\":",
        id.text);
    json_add_string(out, note->origin);
    buf_add_text(out, ",\"identity_class\":\"organization\"}");
}

void
stix_write_head(struct buf *out, const struct release_note *note)
{
    struct stix_id id;
    struct buf text = buf_new(1024);

    buf_format(&text, "%.*s %.*s %lld", SPAN_ARGS(note->origin), SPAN_ARGS(note->recipient),
        (long long)note->made_us);
    stix_id_make(&id, "bundle", STIX_ID_OWN, buf_span(&text));
    buf_free(&text);
    buf_format(out, "{\"type\":\"bundle\",\"id\":\"%s\",\"objects\":[\n", id.text);
    for (enum tlp tlp = TLP_CLEAR; tlp <= TLP_RED; tlp++)
        add_marking(out, tlp);
    buf_add_text(out, own_definitions);
    stix_write_identity(out, note);
}

void
stix_write_tail(struct buf *out)
{
    buf_add_text(out, "\n]}\n");
}
