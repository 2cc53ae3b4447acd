#include "flow/scrub.h"
#include "model/url.h"

/* A URL in three: up to the query, the query without '?', the fragment with '#'. */
struct pieces {
    struct span before;
    struct span query;
    struct span fragment;
    bool has_query;
};

static struct pieces
split(struct span text)
{
    struct pieces p = {.before = text};
    const char *hash = text.n > 0 ? memchr(text.p, '#', text.n) : NULL;

    if (hash != NULL) {
        p.before.n = (size_t)(hash - text.p);
        p.fragment = (struct span){hash, text.n - p.before.n};
    }
    const char *mark = p.before.n > 0 ? memchr(p.before.p, '?', p.before.n) : NULL;
    if (mark != NULL) {
        size_t n = (size_t)(mark - text.p);
        p.query = (struct span){mark + 1, p.before.n - n - 1};
        p.has_query = true;
        p.before.n = n;
    }
    return p;
}

/* The next parameter of *QUERY, with the separator before it. */
static bool
next_parameter(struct span *query, bool first, struct span *out)
{
    size_t n = first ? 0 : 1;

    if (query->n == 0)
        return false;
    while (n < query->n && query->p[n] != '&' && query->p[n] != ';')
        n++;
    *out = (struct span){query->p, n};
    query->p += n;
    query->n -= n;
    return true;
}

static struct span
bare(struct span parameter, bool first)
{
    size_t cut = first ? 0 : 1;

    return (struct span){parameter.p + cut, parameter.n - cut};
}

static enum scrub_name
by_its_name(struct scrub *scrub, struct span parameter)
{
    const char *equal = parameter.n > 0 ? memchr(parameter.p, '=', parameter.n) : NULL;
    size_t n = equal != NULL ? (size_t)(equal - parameter.p) : parameter.n;
    struct span name = scrub_decode(scrub, (struct span){parameter.p, n});

    return name.p == NULL && n > 0 ? SCRUB_NAME_GONE : scrub_name(scrub, name, FIELD_CLASS_URL);
}

void
scrub_collect_query(struct scrub *scrub, struct span url)
{
    struct span query = split(url).query;
    struct span parameter;

    for (bool first = true; next_parameter(&query, first, &parameter); first = false) {
        struct span text = bare(parameter, first);
        const char *equal = text.n > 0 ? memchr(text.p, '=', text.n) : NULL;
        if (equal == NULL || by_its_name(scrub, text) != SCRUB_NAME_GONE_COUNTED)
            continue;
        size_t before = (size_t)(equal + 1 - text.p);
        scrub_add(scrub, scrub_decode(scrub, (struct span){equal + 1, text.n - before}),
            (struct span){NULL, 0});
    }
}

/* What is left of QUERY, written to OUT; a separator never stands first. */
static size_t
clean_query(struct scrub *scrub, struct span query, char *out, bool *changed)
{
    struct span parameter;
    size_t n = 0;

    for (bool first = true; next_parameter(&query, first, &parameter); first = false) {
        struct span text = bare(parameter, first);
        if (by_its_name(scrub, text) != SCRUB_NAME_KEPT || scrub_matches_encoded(scrub, text)) {
            *changed = true;
            continue;
        }
        struct span kept = n == 0 ? text : parameter;
        if (kept.n > 0)
            memcpy(out + n, kept.p, kept.n);
        n += kept.n;
    }
    return n;
}

static char *
add(char *out, struct span text)
{
    if (text.n > 0)
        memcpy(out, text.p, text.n);
    return out + text.n;
}

bool
scrub_url(struct scrub *scrub, struct span *value)
{
    struct url url;
    bool whole = url_split(*value, &url) && url.host.n > 0;
    struct span head = {value->p, whole ? value->n - url.rest.n : 0};
    struct pieces p = split((struct span){value->p + head.n, value->n - head.n});

    if (scrub->count == 0 && !scrub->overflow && !p.has_query)
        return true;
    if (scrub_matches_encoded(scrub, p.before) || scrub_matches_encoded(scrub, p.fragment)) {
        *value = head;
        return whole;
    }
    char *out = arena_alloc(scrub->arena, value->n + 1);
    if (out == NULL)
        return false;
    char *at = add(add(out, head), p.before);
    bool changed = false;
    size_t n = clean_query(scrub, p.query, at + 1, &changed);
    if (!changed)
        return true;
    if (n > 0) {
        *at = '?';
        at += n + 1;
    }
    at = add(at, p.fragment);
    *value = (struct span){out, (size_t)(at - out)};
    return value->n > 0;
}
