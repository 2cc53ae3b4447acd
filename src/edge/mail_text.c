#include "edge/mail_text.h"

enum { DELIVERIES_TOLD = 50 };

/* For people, on one line. */
static void
add_plain(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        buf_add_char(out, (unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f ? ' ' : text.p[i]);
}

static const char *
label_of(const struct mail_bundle *bundle)
{
    return bundle->tlp == TLP_UNKNOWN ? "TLP:AMBER+STRICT" : tlp_label(bundle->tlp);
}

static void
add_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
    buf_format(out, "%llu %s", (unsigned long long)count, count == 1 ? one : many);
}

void
mail_subject(struct buf *out, const struct mail_task *task, const struct mail_bundle *bundle)
{
    buf_format(out, "[%s] ", label_of(bundle));
    buf_add_text(out, task->what == MAIL_TRIAL ? "TRIAL, NOT SENT: " : "");
    if (bundle->reports > 0)
        add_count(out, bundle->reports, "report", "reports");
    else
        buf_add_text(out, "News");
    if (bundle->revoked > 0)
        buf_add_text(out, ", with recalls,");
    buf_add_text(out, " for ");
    add_plain(out, task->team);
    buf_add_text(out, " from ");
    add_plain(out, task->own);
    buf_add_text(out, ", batch ");
    add_plain(out, task->batch);
}

static void
add_words(struct buf *out, const struct mail_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        buf_format(out, "  %8u  ", words->list[i].count);
        add_plain(out, words->list[i].word);
        buf_add_char(out, '\n');
    }
    if (words->others > 0)
        buf_format(out, "  %8u  others\n", words->others);
}

static void
add_deliveries(struct buf *out, const struct mail_bundle *bundle)
{
    buf_add_text(out,
        "\nEach delivery is an entry of the sender's public log; in the bundle its\n"
        "comity-batch object says how to check it.\n\n");
    for (size_t i = 0; i < bundle->delivery_count && i < DELIVERIES_TOLD; i++) {
        const struct mail_delivery *d = &bundle->deliveries[i];
        buf_add_text(out, "  ");
        add_plain(out, d->id);
        buf_format(out, "  entry %llu, ", (unsigned long long)d->entry);
        add_count(out, d->items, "item", "items");
        buf_add_char(out, '\n');
    }
    if (bundle->delivery_count > DELIVERIES_TOLD)
        buf_format(
            out, "  and %zu more, in the bundle\n", bundle->delivery_count - DELIVERIES_TOLD);
}

static void
add_greeting(struct buf *out, const struct mail_task *task, const struct mail_bundle *bundle)
{
    add_plain(out, task->name);
    buf_add_text(out, ",\n\n");
    add_plain(out, task->own_name);
    buf_add_text(out, " sends you what was released to your team.\n\n");
    buf_format(out, "Handling:  %s (FIRST's Traffic Light Protocol 2.0)\n", label_of(bundle));
    buf_add_text(out, "Batch:     ");
    add_plain(out, task->batch);
    buf_add_text(out, "\nReports:   ");
    buf_add_u64(out, bundle->reports);
    if (bundle->revoked > 0)
        buf_format(out, "\nRecalls:   %u, withdrawn: act on them no more", bundle->revoked);
    if (bundle->others > 0)
        buf_format(out, "\nOthers:    %u, in the bundle alone", bundle->others);
    buf_add_char(out, '\n');
}

void
mail_text(struct buf *out, const struct mail_task *task, const struct mail_bundle *bundle,
    const char *table, const char *stix)
{
    add_greeting(out, task, bundle);
    if (bundle->reports > 0) {
        buf_add_text(out, "\nWhat they are:\n\n");
        add_words(out, &bundle->classifications);
        buf_add_text(out, "\nThe clauses under which they were released, AGREEMENT#CLAUSE:\n\n");
        add_words(out, &bundle->clauses);
    }
    if (bundle->delivery_count > 0)
        add_deliveries(out, bundle);
    buf_add_text(out, "\nAttached:\n\n");
    if (table != NULL)
        buf_format(out, "  %-16s a row for each report, for a spreadsheet\n", table);
    buf_format(out, "  %-16s the same and all else, STIX 2.1, for programs\n", stix);
    buf_add_text(out,
        "\nTo answer, reply to this mail: the address it goes to carries the batch.\n"
        "Name reports by their id (extra.comity_id in the table).\n\n-- \n");
    add_plain(out, task->own_name);
    buf_add_text(out, ", by Comity\n");
}
