#include "flow/agreement_foreign.h"

struct looking {
    const struct registry *registry;
    const struct foreign_word *word;
    struct foreign_news *news;
    const struct journal_event *here; /* events that the register has of it */
    bool own_signed;
};

/* ---- may it be said at all? ---- */

static int
check_parties(const struct foreign_word *word, struct err *err)
{
    const struct agreement *a = word->document;

    if (!agreement_has_party(a, word->own))
        return err_set(err, ERR_NOT_ALLOWED,
            "%.*s is no party of this agreement, and so keeps nothing of it", SPAN_ARGS(word->own));
    if (!agreement_has_party(a, word->sender))
        return err_set(err, ERR_NOT_ALLOWED,
            "%.*s is no party of this agreement, and so has nothing to say of it",
            SPAN_ARGS(word->sender));
    return 0;
}

static int
check_document(const struct foreign_word *word, struct err *err)
{
    const struct agreement *a = word->document;

    if (a->broken)
        return err_set(err, ERR_BAD_VALUE, "%.*s", SPAN_ARGS(a->why));
    if (a->text.n > FOREIGN_DOCUMENT_BYTES)
        return err_set(
            err, ERR_LIMIT, "the agreement's text has more than %d bytes", FOREIGN_DOCUMENT_BYTES);
    if (a->suspended)
        return err_set(err, ERR_BAD_VALUE, "it says \"suspended\": true; suspensions are events");
    return check_parties(word, err);
}

/* ---- proposals ---- */

static bool
was_proposed_by(const struct journal_event *events, struct span team)
{
    return events != NULL && events->type == JOURNAL_PROPOSED
        && span_equal(journal_doer(events), team);
}

/* One team cannot fill the register, nor can many keep it from being read. */
static int
check_room(const struct looking *l, struct err *err)
{
    const struct registry *r = l->registry;
    size_t waiting = 0;
    size_t of_team = 0;
    size_t bytes = l->word->document->text.n;
    size_t team_bytes = bytes;

    for (size_t i = 0; i < r->count; i++) {
        const struct agreement *a = &r->agreements[i];
        if (a->broken || agreement_sign_has(a, l->word->own))
            continue;
        bytes += a->text.n;
        if (!was_proposed_by(r->events[i], l->word->sender))
            continue;
        of_team++;
        team_bytes += a->text.n;
        waiting += registry_standing(r, i, l->word->now_us) == STANDING_WAITS;
    }
    if (waiting >= FOREIGN_WAITING_MAX || of_team >= FOREIGN_UNSIGNED_MAX)
        return err_set(err, ERR_LIMIT,
            "%zu proposals of yours wait for us, and %zu were never signed: no more are taken in",
            waiting, of_team);
    if (bytes > FOREIGN_UNSIGNED_BYTES || team_bytes > FOREIGN_TEAM_BYTES)
        return err_set(err, ERR_LIMIT,
            "the proposals that were never signed here have too many bytes: no more are taken in");
    return 0;
}

static bool
has_ended(const struct looking *l)
{
    for (size_t i = 0; i < l->word->event_count; i++)
        if (l->word->events[i].event.type == JOURNAL_ENDED)
            return true;
    return false;
}

/* Whoever proposes has signed: nobody is made to look at what its sender does not stand for. */
static int
check_proposal(const struct looking *l, struct err *err)
{
    const struct agreement *a = l->word->document;
    bool is_signed = false;

    for (size_t i = 0; i < a->signature_count; i++)
        is_signed = is_signed || span_equal(a->signatures[i].party, l->word->sender);
    if (!is_signed)
        return err_set(err, ERR_NOT_ALLOWED, "%.*s has not signed it, and so cannot propose it",
            SPAN_ARGS(l->word->sender));
    if (a->valid_until_us <= l->word->now_us || has_ended(l))
        return err_set(err, ERR_NOT_ALLOWED, "it has ended: there is nothing to sign");
    return check_room(l, err);
}

/* ---- keys that are not known ---- */

/* The sender's own is told first. */
static void
pass_over(struct looking *l, struct span team, struct span what, const uint8_t *key)
{
    struct foreign_news *news = l->news;

    if (news->strange.team.n > 0
        && (span_equal(news->strange.team, l->word->sender) || !span_equal(team, l->word->sender)))
        return;
    news->strange.team = team;
    news->strange.what = what;
    memcpy(news->strange.key, key, AGREEMENT_KEY_BYTES);
}

/* ---- signatures ---- */

static bool
has_any(const struct agreement_taken *t, struct span party)
{
    for (size_t i = 0; i < t->a.signature_count; i++)
        if (span_equal(t->rows[i].party, party))
            return true;
    return false;
}

/* Of keys that are not known only the sender's own signature is kept, one: an operator may come to
 * trust it. What others are said to have signed counts for its key alone. This team signs at home.
 */
static int
take_signature(struct looking *l, const struct agreement_signature *given, struct err *err)
{
    struct agreement_taken *t = &l->news->taken;
    struct agreement_signature signature = *given;
    bool of_sender = span_equal(given->party, l->word->sender);

    if (!agreement_has_party(&t->a, given->party))
        return err_set(
            err, ERR_BAD_VALUE, "%.*s signed it, and is no party of it", SPAN_ARGS(given->party));
    signature.mark = (uint8_t)agreement_sign_mark(&t->a, &signature, l->registry->ring);
    if (signature.mark == MARK_WRONG)
        return err_set(err, ERR_BAD_VALUE,
            "the signature of %.*s is wrong: it was not made over this text",
            SPAN_ARGS(given->party));
    if (agreement_life_has(t, &signature) || span_equal(given->party, l->word->own))
        return 0;
    if (signature.mark != MARK_GOOD && (!of_sender || has_any(t, given->party))) {
        pass_over(l, given->party, SPAN("signature"), signature.key);
        return 0;
    }
    l->news->unknown = l->news->unknown || signature.mark != MARK_GOOD;
    t->rows[t->a.signature_count++] = signature;
    return 0;
}

static int
take_signatures(struct looking *l, struct err *err)
{
    const struct agreement *a = l->word->document;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < a->signature_count; i++)
        rc = take_signature(l, &a->signatures[i], err);
    return rc;
}

/* ---- events ---- */

/* What this team had heard of another one about this agreement, the register's and the news. */
struct heard {
    size_t count;
    int64_t last_us;
    bool ended;
    bool same; /* the very event */
};

static void
hear(struct heard *h, const struct journal_event *event, struct span text, int64_t time_us,
    struct span known)
{
    h->count++;
    h->last_us = time_us > h->last_us ? time_us : h->last_us;
    h->ended = h->ended || event->type == JOURNAL_ENDED;
    h->same = h->same || span_equal(text, known);
}

static struct heard
heard_of(const struct looking *l, const struct journal_told *told)
{
    struct heard h = {.last_us = INT64_MIN};
    struct span by = told->event.by;

    for (const struct journal_event *e = l->here; e != NULL; e = e->next)
        if (e->told.n > 0 && span_equal(e->party, by))
            hear(&h, e, e->told, e->told_us, told->event.text);
    for (size_t i = 0; i < l->news->event_count; i++) {
        const struct journal_event *e = &l->news->events[i]->event;
        if (span_equal(e->by, by))
            hear(&h, e, e->text, e->time_us, told->event.text);
    }
    return h;
}

/* Whether the team's last word so far is a suspension, whenever that comes. */
static bool
is_paused(const struct looking *l, struct span team)
{
    bool paused = standing_suspended_by(l->here, team, INT64_MAX) != NULL;

    for (size_t i = 0; i < l->news->event_count; i++) {
        const struct journal_event *e = &l->news->events[i]->event;
        if (span_equal(e->by, team))
            paused = e->type == JOURNAL_SUSPENDED;
    }
    return paused;
}

/* What stops something is taken in when nothing else is any more, as often as it changes
 * something. */
static int
check_limits(const struct looking *l, const struct journal_told *told, const struct heard *h,
    struct err *err)
{
    uint8_t type = told->event.type;
    size_t most = l->own_signed ? FOREIGN_EVENTS_MAX : FOREIGN_EVENTS_UNSIGNED;
    bool stops =
        type == JOURNAL_ENDED || (type == JOURNAL_SUSPENDED && !is_paused(l, told->event.by));
    size_t bytes = registry_journal_bytes(l->registry);

    if (!stops && h->count >= most)
        return err_set(err, ERR_LIMIT,
            "%zu events of %.*s about this agreement are kept: of more only what suspends or ends "
            "it is taken in",
            h->count, SPAN_ARGS(told->event.by));
    if (bytes > (stops ? FOREIGN_JOURNAL_STOP_BYTES : FOREIGN_JOURNAL_BYTES))
        return err_set(err, ERR_LIMIT, "the journal here is too long to take in more of others");
    return 0;
}

static int
check_event(const struct looking *l, const struct journal_event *event, struct err *err)
{
    if (!span_equal(event->agreement, l->news->taken.a.id)
        || !span_equal(event->digest, span_of(l->news->taken.digest)))
        return err_set(err, ERR_BAD_VALUE,
            "an event \"%s\" in it is about another agreement, or another text",
            journal_words[event->type]);
    if (!agreement_has_party(&l->news->taken.a, event->by))
        return err_set(err, ERR_NOT_ALLOWED,
            "an event \"%s\" in it is of %.*s, which is no party of the agreement",
            journal_words[event->type], SPAN_ARGS(event->by));
    return 0;
}

/* Texts of one team come in that team's order, and once: what is older than what is known is a
 * repetition of what that team has changed since. */
static int
take_event(struct looking *l, const struct journal_told *told, struct err *err)
{
    const struct journal_event *event = &told->event;
    int rc = check_event(l, event, err);

    if (rc != 0 || span_equal(event->by, l->word->own))
        return rc;
    const struct heard h = heard_of(l, told);
    if (h.same || h.ended || event->time_us < h.last_us)
        return 0;
    if (event->type == JOURNAL_REFUSED && agreement_sign_has(&l->news->taken.a, event->by))
        return 0;
    if (!keyring_knows(l->registry->ring, event->by, told->key, event->time_us)) {
        pass_over(l, event->by, span_of(journal_words[event->type]), told->key);
        return 0;
    }
    rc = check_limits(l, told, &h, err);
    if (rc == 0)
        l->news->events[l->news->event_count++] = told;
    return rc;
}

/* ---- all of it ---- */

/* Errors of the register's own user are the sender's here. */
static int
as_senders(int rc, struct err *err)
{
    char why[ERR_MSG_BYTES];

    if (rc == 0 || rc == ERR_NO_MEMORY || rc == ERR_LIMIT)
        return rc;
    memcpy(why, err->msg, sizeof why);
    return err_set(err, ERR_NOT_ALLOWED, "%s", why);
}

static int
take_all(struct looking *l, struct err *err)
{
    int rc = take_signatures(l, err);

    for (size_t i = 0; rc == 0 && i < l->word->event_count; i++)
        rc = take_event(l, &l->word->events[i], err);
    return rc;
}

int
agreement_foreign_look(const struct registry *registry, struct arena *arena,
    const struct foreign_word *word, struct foreign_news *out, struct err *err)
{
    struct looking l = {.registry = registry, .word = word, .news = out};
    int rc = check_document(word, err);

    *out = (struct foreign_news){0};
    if (rc == 0)
        rc =
            as_senders(agreement_life_kept(registry, arena, word->document, &out->taken, err), err);
    if (rc != 0)
        return rc;
    out->events = arena_zalloc(arena, word->event_count + 1, sizeof(struct journal_told *));
    if (out->events == NULL)
        return arena_full(err, "events");
    l.here = out->taken.at < registry->count ? registry->events[out->taken.at] : NULL;
    l.own_signed = agreement_sign_has(&out->taken.a, word->own);
    out->proposed = l.here == NULL;
    if (out->proposed)
        rc = check_proposal(&l, err);
    return rc == 0 ? take_all(&l, err) : rc;
}

bool
agreement_foreign_is_news(const struct foreign_news *news)
{
    return news->proposed || news->event_count > 0
        || news->taken.kept < news->taken.a.signature_count;
}

static struct journal_event
proposal(const struct foreign_word *word, const struct foreign_news *news)
{
    return (struct journal_event){.type = JOURNAL_PROPOSED,
        .agreement = news->taken.a.id,
        .digest = span_of(news->taken.digest),
        .by = word->own,
        .party = word->sender,
        .time_us = word->now_us,
        .at_us = word->now_us};
}

static struct journal_event
taken_in(const struct foreign_word *word, const struct journal_told *told)
{
    struct journal_event event = told->event;

    event.by = word->own;
    event.party = told->event.by;
    event.told = told->event.text;
    event.told_us = told->event.time_us;
    event.said_us = told->event.at_us;
    event.time_us = word->now_us;
    event.at_us = journal_told_at(&told->event, word->now_us);
    return event;
}

int
agreement_foreign_keep(struct registry *registry, struct arena *arena,
    const struct foreign_word *word, const struct foreign_news *news,
    const struct agreement_key *key, struct err *err)
{
    const struct agreement_taken *t = &news->taken;
    size_t count;
    struct journal_event *events =
        agreement_life_events(registry, arena, t, word->now_us, news->event_count + 1, &count);

    if (events == NULL)
        return arena_full(err, "events");
    if (news->proposed) {
        memmove(events + 1, events, count++ * sizeof *events);
        events[0] = proposal(word, news);
    }
    for (size_t i = 0; i < news->event_count; i++)
        events[count++] = taken_in(word, news->events[i]);
    return registry_expect(
        registry, &t->a, news->proposed || t->kept < t->a.signature_count, events, count, key, err);
}
