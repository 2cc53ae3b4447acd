#include "base/time.h"
#include "flow/remedy.h"

static const char *const words[REMEDY_KIND_COUNT] = {
    [REMEDY_TLP] = "tlp",
    [REMEDY_CLASSIFICATION] = "classification",
    [REMEDY_PROVIDER] = "provider",
    [REMEDY_FROM] = "from",
    [REMEDY_TO] = "to",
    [REMEDY_RESUME] = "suspended",
    [REMEDY_DATES] = "dates",
    [REMEDY_AGREE] = "no-clause",
    [REMEDY_EFFECT] = "clause",
    [REMEDY_CEILING] = "ceiling",
    [REMEDY_ENCRYPTED] = "no-encrypted-channel",
    [REMEDY_RECEIPT] = "no-receipt-channel",
    [REMEDY_PERSON] = "red-needs-person",
    [REMEDY_LABEL] = "unknown-tlp",
    [REMEDY_CLASSIFY] = "unknown-classification",
    [REMEDY_NAME] = "unknown-provider",
    [REMEDY_MEND] = "bad-agreement",
    [REMEDY_OTHER] = "other",
};

const char *
remedy_word(enum remedy_kind kind)
{
    return words[kind];
}

/* By its file's name, as in route's table; a provider's conditions by their own. */
static void
add_name(const struct agreement *a, struct buf *out)
{
    struct span name = a->kind == AGREEMENT_FEED ? a->title : a->file;
    const char *slash = name.n == 0 ? NULL : memrchr(name.p, '/', name.n);

    if (slash != NULL && a->kind != AGREEMENT_FEED)
        name = (struct span){slash + 1, (size_t)(name.p + name.n - slash - 1)};
    if (span_ends(name, SPAN(".json")))
        name.n -= SPAN(".json").n;
    buf_add_span(out, name);
}

static void
add_clause(const struct remedy *r, const struct remedy_question *q, struct buf *out)
{
    const struct agreement *a = &q->agreements->agreements[r->agreement];

    add_name(a, out);
    buf_add_char(out, '#');
    buf_add_span(out, a->clauses[r->clause].id);
}

static const char *
label(unsigned tlp)
{
    return tlp_label((enum tlp)tlp);
}

static void
add_widened(const struct remedy *r, const struct remedy_question *q, struct buf *out)
{
    const struct clause *clause = &q->agreements->agreements[r->agreement].clauses[r->clause];

    add_clause(r, q, out);
    switch ((enum remedy_kind)r->kind) {
    case REMEDY_TLP:
        buf_format(
            out, " covers up to %s: let it cover up to %s", label(clause->tlp_max), label(r->tlp));
        break;
    case REMEDY_CLASSIFICATION:
        buf_format(out, " does not name %s.%s: add it",
            classification_taxonomy((enum classification)r->classification),
            classification_type((enum classification)r->classification));
        break;
    case REMEDY_PROVIDER:
        buf_add_text(out, " covers other providers only: add ");
        buf_add_span(
            out, r->provider.n == 1 && r->provider.p[0] == 1 ? SPAN("the others") : r->provider);
        break;
    case REMEDY_FROM:
        buf_format(out, " does not cover reports of %.*s: let it",
            SPAN_ARGS(q->teams[q->origin.index - 1].id));
        break;
    case REMEDY_TO:
        buf_format(out, " does not cover %.*s: let it", SPAN_ARGS(q->teams[r->recipient - 1].id));
        break;
    default:
        buf_format(out, " says %s: let it say release", effect_word((enum effect)clause->effect));
        break;
    }
}

static void
add_agreement(const struct remedy *r, const struct remedy_question *q, struct buf *out)
{
    char date[TIME_TEXT_BYTES];

    if (r->agreement == UINT32_MAX) {
        buf_add_text(out, "an agreement that may apply is broken: mend it");
        return;
    }
    const struct agreement *a = &q->agreements->agreements[r->agreement];
    bool ended = q->at_us >= a->valid_until_us;

    add_name(a, out);
    if (r->kind == REMEDY_RESUME) {
        buf_add_text(out, " is suspended: resume it");
    } else if (r->kind == REMEDY_MEND) {
        buf_add_text(out, " cannot be evaluated: mend it (`comity agreement lint`)");
    } else {
        (void)time_format(ended ? a->valid_until_us : a->valid_from_us, "Z", date);
        buf_format(out,
            ended ? " ended at %s: renew it" : " is in force only from %s: let it begin", date);
    }
}

void
remedy_add_words(const struct remedy *r, const struct remedy_question *q, struct buf *out)
{
    struct span team = r->recipient == 0 ? SPAN("") : q->teams[r->recipient - 1].id;

    switch ((enum remedy_kind)r->kind) {
    case REMEDY_RESUME:
    case REMEDY_DATES:
    case REMEDY_MEND:
        add_agreement(r, q, out);
        break;
    case REMEDY_AGREE:
        buf_format(out, "no clause comes near: agree with %.*s on reports up to %s",
            SPAN_ARGS(team), label(r->tlp));
        break;
    case REMEDY_CEILING:
        add_clause(r, q, out);
        buf_add_text(out, " is a ceiling and withholds or holds: only who made it can change it");
        break;
    case REMEDY_ENCRYPTED:
        buf_format(
            out, "no encrypted channel is known for %.*s: put one on its card", SPAN_ARGS(team));
        break;
    case REMEDY_RECEIPT:
        buf_format(out, "no channel of %.*s gives receipts: put one on its card", SPAN_ARGS(team));
        break;
    case REMEDY_PERSON:
        buf_add_text(out, "TLP:RED: a bilateral clause must name it, and a person release each");
        break;
    case REMEDY_LABEL:
        buf_add_text(out, "the reports bear a label that is none of TLP 2.0: label them");
        break;
    case REMEDY_CLASSIFY:
        buf_add_text(out, "the reports' classification is not in the taxonomy: map it");
        break;
    case REMEDY_NAME:
        buf_add_text(out, "the reports name no provider: name it (--provider)");
        break;
    case REMEDY_OTHER:
        buf_add_text(out, reason_text((enum reason)r->reason));
        break;
    default:
        add_widened(r, q, out);
        break;
    }
}
