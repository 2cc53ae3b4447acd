#include "cli/team_draft.h"

#include "cli/setup.h"
#include "flow/card.h"
#include "model/domain.h"
#include "sys/file.h"

#include <stdio.h>
#include <sys/stat.h>

static void
complain(struct team_importing *im, const char *id, const char *format, const char *text)
{
    (void)fprintf(stderr, "comity: %s:%llu: %s: ", im->file, (unsigned long long)im->item, id);
    (void)fprintf(stderr, "%s%s\n", format, text);
}

static void
separate(struct buf *out)
{
    if (out->n > 0 && out->p[out->n - 1] != '{' && out->p[out->n - 1] != '[')
        buf_add_char(out, ',');
}

static void
member(struct buf *out, const char *name, struct span value)
{
    if (value.n == 0)
        return;
    separate(out);
    buf_format(out, "\"%s\":", name);
    json_add_string(out, value);
}

static void
list_member(struct buf *out, const char *name, const struct buf *items)
{
    if (items->n == 0)
        return;
    separate(out);
    buf_format(out, "\"%s\":[", name);
    buf_add(out, items->p, items->n);
    buf_add_char(out, ']');
}

void
team_draft_prefix(struct team_importing *im, struct team_draft *d, struct span text)
{
    struct address prefix;
    struct err why;

    if (prefix_parse(text, &prefix, &why) != 0) {
        complain(im, d->id, "prefix left out: ", why.msg);
        return;
    }
    separate(&d->prefixes);
    json_add_string(&d->prefixes, text);
}

void
team_draft_kind(struct team_importing *im, struct team_draft *d, struct span word)
{
    if (word.n == 0)
        return;
    for (size_t i = 0; card_kinds[i] != NULL; i++)
        if (span_equal(word, span_of(card_kinds[i]))) {
            d->kind = card_kinds[i];
            return;
        }
    complain(im, d->id, "kind left out: ", "no card has such a kind; doc/team-card.md lists them");
}

void
team_draft_asn(struct team_importing *im, struct team_draft *d, uint64_t asn)
{
    if (asn == 0 || asn > UINT32_MAX) {
        complain(im, d->id, "AS number left out: ", "it is not from 1 to 4294967295");
        return;
    }
    separate(&d->asns);
    buf_add_u64(&d->asns, asn);
}

void
team_draft_domain(struct team_importing *im, struct team_draft *d, struct span text)
{
    char name[DOMAIN_BYTES];
    struct err why;
    size_t n;

    if (span_starts(text, SPAN("*.")))
        text = (struct span){text.p + 2, text.n - 2};
    if (domain_normalise(text, name, &n, &why) != 0) {
        complain(im, d->id, "domain left out: ", why.msg);
        return;
    }
    separate(&d->domains);
    json_add_string(&d->domains, (struct span){name, n});
}

void
team_draft_economy(struct team_draft *d, struct span code)
{
    for (size_t i = 0; i < d->economy_count; i++)
        if (span_equal_nocase(d->economies[i], code))
            return;
    if (economy_find(code).index != 0 && d->economy_count < ECONOMY_COUNT)
        d->economies[d->economy_count++] = code;
}

void
team_draft_id(struct team_draft *d, struct span economy, struct span name)
{
    const struct span parts[] = {economy, name};
    size_t n = 0;

    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < parts[k].n && n < TEAM_DRAFT_ID_BYTES; i++) {
            char c = parts[k].p[i];
            bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '_' && n > 0);
            if (c >= 'A' && c <= 'Z')
                d->id[n++] = (char)(c | 0x20);
            else if (good)
                d->id[n++] = c;
            else if (n > 0 && d->id[n - 1] != '-')
                d->id[n++] = '-';
        }
        if (k == 0 && n > 0 && n < TEAM_DRAFT_ID_BYTES)
            d->id[n++] = '-';
    }
    while (n > 0 && d->id[n - 1] == '-')
        n--;
    d->id[n] = '\0';
}

static void
render(const struct team_importing *im, const struct team_draft *d, struct buf *out)
{
    char source[512];

    (void)snprintf(source, sizeof source, "imported (%s) from %.300s", im->from, im->file);
    out->n = 0;
    buf_add_char(out, '{');
    member(out, "id", span_of(d->id));
    member(out, "name", d->name);
    member(out, "full_name", d->full_name);
    member(out, "kind", span_of(d->kind));
    buf_add_text(out, ",\"economies\":[");
    for (size_t i = 0; i < d->economy_count; i++) {
        separate(out);
        json_add_string(out, d->economies[i]);
    }
    buf_add_text(out, "]");
    if (d->prefixes.n + d->asns.n + d->domains.n > 0) {
        buf_add_text(out, ",\"constituency\":{");
        list_member(out, "prefixes", &d->prefixes);
        list_member(out, "asns", &d->asns);
        list_member(out, "domains", &d->domains);
        buf_add_char(out, '}');
    }
    if (d->mail.n > 0) {
        buf_add_text(out, ",\"channels\":[{\"type\":\"email\",\"address\":");
        json_add_string(out, d->mail);
        buf_format(out, ",\"encrypted\":%s}]", d->fingerprint.n > 0 ? "true" : "false");
    }
    if (d->fingerprint.n > 0) {
        buf_add_text(out, ",\"keys\":[{\"type\":\"openpgp\",\"fingerprint\":");
        json_add_string(out, d->fingerprint);
        buf_add_text(out, "}]");
    }
    member(out, "hours", d->hours);
    member(out, "timezone", d->timezone);
    member(out, "established", d->established);
    if (span_starts(d->site, SPAN("http://")) || span_starts(d->site, SPAN("https://")))
        member(out, "site", d->site);
    if (d->membership.n > 0) {
        buf_add_text(out, ",\"memberships\":[");
        json_add_string(out, d->membership);
        buf_add_char(out, ']');
    }
    member(out, "source", span_of(source));
    buf_add_text(out, ",\"verified\":false}\n");
}

/* Check the card as roster_load will and write it. */
static int
store(struct team_importing *im, const struct team_draft *d, struct err *err)
{
    char path[SETUP_PATH_BYTES];
    struct span text;
    struct json_value root;
    struct stat there;
    struct team team;
    int rc;

    render(im, d, &im->card);
    text = buf_span(&im->card);
    rc = buf_check(&im->card, "a team card", err);
    if (rc == 0)
        rc = json_parse_copy(im->again, text, &root, err);
    arena_reset(im->arena);
    if (rc == 0)
        rc = card_read(im->arena, root, 0, &team, err);
    if (rc != 0)
        return rc;
    if (snprintf(path, sizeof path, "%s/%s.json", im->folder, d->id) >= (int)sizeof path)
        return err_set(err, ERR_LIMIT, "the path of the folder is too long");
    if (!im->force && stat(path, &there) == 0)
        return err_set(err, ERR_EXISTS, "%s is there already; --force overwrites it", path);
    rc = file_write_atomic(path, &text, 1, 0644, err);
    im->made += rc == 0;
    return rc;
}

struct team_draft
team_draft_new(void)
{
    return (struct team_draft){.kind = "other",
        .prefixes = buf_new(TEAM_CARD_BYTES_MAX),
        .asns = buf_new(TEAM_CARD_BYTES_MAX),
        .domains = buf_new(TEAM_CARD_BYTES_MAX)};
}

int
team_draft_settle(struct team_importing *im, struct team_draft *d, struct err *err)
{
    int rc = store(im, d, err);

    buf_free(&d->prefixes);
    buf_free(&d->asns);
    buf_free(&d->domains);
    if (rc == 0 || rc == ERR_IO || rc == ERR_NO_MEMORY)
        return rc;
    im->bad++;
    (void)fprintf(stderr, "comity: %s:%llu: left out: %s%s%s\n", im->file,
        (unsigned long long)im->item, err->field, err->field[0] ? ": " : "", err->msg);
    return 0;
}
