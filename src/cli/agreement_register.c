#include "cli/agreement_register.h"

#include "base/time.h"
#include "cli/home.h"
#include "cli/shown.h"
#include "flow/agreements.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { ARENA_BYTES = 256 << 20, COLUMNS = 100 };

/* ---- options ---- */

static int
valued(
    int argc, char **argv, int *i, unsigned options, struct agreement_wanted *out, struct err *err)
{
    const struct setup_valued known[] = {{"home", 0, &out->home}, {"teams", 0, &out->teams},
        {"as", AGREEMENT_AS, &out->as}, {"at", AGREEMENT_AT, &out->at},
        {"reason", AGREEMENT_REASON, &out->reason}, {"trust", AGREEMENT_TRUST, &out->trust}};

    return setup_valued(argc, argv, i, options, known, sizeof known / sizeof known[0], err);
}

static int
one_option(
    int argc, char **argv, int *i, unsigned options, struct agreement_wanted *out, struct err *err)
{
    if ((options & AGREEMENT_JSON) != 0 && strcmp(argv[*i], "--json") == 0) {
        out->json = true;
        return 0;
    }
    if ((options & AGREEMENT_RESET) != 0 && strcmp(argv[*i], "--reset") == 0) {
        out->reset = true;
        return 0;
    }
    int rc = valued(argc, argv, i, options, out, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return err_set(err, ERR_USAGE, "no option \"%s\"; `comity agreement %s --help` lists them",
        argv[*i], argv[1]);
}

int
agreement_options(int argc, char **argv, unsigned options, const char *usage,
    struct agreement_wanted *out, struct err *err)
{
    int rc = 0;

    *out = (struct agreement_wanted){0};
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            return 1;
        }
    for (int i = 2; rc == 0 && i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            rc = one_option(argc, argv, &i, options, out, err);
        else if (out->word_count == AGREEMENT_WORDS_MAX)
            rc = err_set(err, ERR_USAGE, "too many arguments");
        else
            out->words[out->word_count++] = argv[i];
    }
    return rc;
}

/* ---- opening ---- */

static int
look_at_clock(struct agreement_register *r, enum registry_use use, struct err *err)
{
    int64_t clock = clock_now_us();
    char seen[TIME_TEXT_BYTES];
    char now[TIME_TEXT_BYTES];
    struct err why;

    r->now_us = clock;
    int rc = registry_see(r->registry, clock, &r->trusted, &why);
    if (rc != 0 && use == REGISTRY_WRITE) {
        *err = why;
        return rc;
    }
    if (rc != 0)
        (void)fprintf(stderr, "comity: the time could not be noted: %s\n", why.msg);
    if (r->trusted)
        return 0;
    r->now_us = r->registry->seen_us;
    (void)time_format(r->registry->seen_us, "Z", seen);
    (void)time_format(clock, "Z", now);
    if (use == REGISTRY_READ) {
        (void)fprintf(stderr,
            "comity: the clock is not trusted: it says %s, and %s was seen already; all is shown "
            "as of then, and `route` withholds everything\n",
            now, seen);
        return 0;
    }
    return err_set(err, ERR_CLOCK,
        "the clock says %s, and %s was seen already; nothing is written until it is right (see "
        "`comity agreement clock --help`)",
        now, seen);
}

int
agreement_register_open(struct agreement_register *out, const struct agreement_wanted *wanted,
    enum registry_use use, struct err *err)
{
    char home[SETUP_PATH_BYTES];
    char teams[SETUP_PATH_BYTES];
    int rc = home_path(wanted->home, home, err);

    *out = (struct agreement_register){.arena = arena_new(ARENA_BYTES)};
    if (out->arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to begin");
    if (rc == 0)
        rc = setup_teams_path(wanted->teams, teams, err);
    if (rc == 0)
        rc = home_roster(home, teams, NULL, NULL, &out->roster, err);
    if (rc == 0)
        rc = registry_open(home, use, out->roster, &out->registry, err);
    if (rc == 0 && wanted->as != NULL && use == REGISTRY_WRITE)
        rc = registry_name(out->registry, wanted->as, err);
    return rc == 0 ? look_at_clock(out, use, err) : rc;
}

void
agreement_register_close(struct agreement_register *r)
{
    registry_close(r->registry);
    roster_free(r->roster);
    arena_free(r->arena);
    *r = (struct agreement_register){0};
}

/* ---- which agreement ---- */

bool
agreement_is_file(const char *word)
{
    struct stat about;

    return stat(word, &about) == 0 && !S_ISDIR(about.st_mode);
}

int
agreement_from_file(
    struct agreement_register *r, const char *path, struct agreement *out, struct err *err)
{
    struct agreement_set set;

    if (!agreement_is_file(path))
        return err_set(err, ERR_NOT_FOUND, "%s is no file", path);
    int rc = agreements_load(r->arena, &path, 1, &set, err);
    if (rc != 0)
        return rc;
    if (set.count != 1)
        return err_set(err, ERR_BAD_AGREEMENT, "%s holds %zu agreements; name a file with one",
            path, set.count);
    *out = set.agreements[0];
    return out->broken ? err_set(err, ERR_BAD_AGREEMENT, "%.*s", (int)out->why.n, out->why.p) : 0;
}

static bool
begins(struct span id, struct span word)
{
    struct span urn = SPAN("urn:uuid:");

    if (span_starts(id, urn) && !span_starts(word, urn))
        id = (struct span){id.p + urn.n, id.n - urn.n};
    return word.n <= id.n && span_equal_nocase((struct span){id.p, word.n}, word);
}

int
agreement_meant(struct agreement_register *r, const char *word, size_t *out, struct err *err)
{
    const struct registry *registry = r->registry;
    struct span id = span_of(word);
    size_t found = 0;

    if (agreement_is_file(word)) {
        struct agreement a;
        int rc = agreement_from_file(r, word, &a, err);
        if (rc != 0)
            return rc;
        id = a.id;
    }
    for (size_t i = 0; id.n > 0 && i < registry->count; i++)
        if (begins(registry->agreements[i].id, id)) {
            *out = i;
            found++;
        }
    if (found == 1)
        return 0;
    return found > 1
        ? err_set(err, ERR_USAGE, "\"%s\" begins %zu ids; write more of it", word, found)
        : err_set(err, ERR_NOT_FOUND,
            "the register in %s has no agreement \"%s\"; `comity agreement list` shows all",
            registry->home, word);
}

int
agreement_own_key(struct agreement_register *r, struct agreement_key *out, struct err *err)
{
    char public[AGREEMENT_SIGN_BASE64_BYTES];
    bool made;
    int rc = registry_key(r->registry, out, &made, err);

    if (rc == 0 && made && roster_find(r->roster, span_of(r->registry->team)).index == 0)
        (void)fprintf(stderr,
            "comity: no team of the directory has the id %s; if that was a slip, remove team and "
            "key "
            "in %s before anything is signed\n",
            r->registry->team, r->registry->home);
    if (rc == 0 && made) {
        agreement_sign_base64(out->public, sizeof out->public, public);
        (void)fprintf(stderr,
            "comity: a signing key was made for %s, in %s/key: keep it secret, and a copy of it\n"
            "comity: its public half is %s: give it to your partners, by a way that they trust\n",
            r->registry->team, r->registry->home, public);
    }
    return rc;
}

/* ---- words ---- */

static void
add_until(struct buf *out, const char *words, const struct journal_event *event)
{
    char text[TIME_TEXT_BYTES];

    (void)time_format(event->at_us, "Z", text);
    buf_format(out, "%s by %.*s since %s", words, SPAN_ARGS(journal_doer(event)), text);
    if (event->reason.n > 0) {
        buf_add_text(out, ": ");
        shown_add(out, event->reason, COLUMNS);
    }
}

void
agreement_add_standing(const struct agreement_register *r, size_t i, struct buf *out)
{
    const struct registry *registry = r->registry;
    const struct agreement *a = &registry->agreements[i];
    const struct journal_event *events = registry->events[i];
    enum standing standing = registry_standing(registry, i, r->now_us);
    const char *before = "waits for ";

    if (standing == STANDING_ENDED)
        add_until(out, "ended", standing_ended(events, r->now_us));
    else if (standing == STANDING_SUSPENDED && !a->suspended)
        add_until(out, "suspended", standing_suspended(events, r->now_us));
    else if (standing == STANDING_REFUSED)
        add_until(out, "refused", standing_refused(a, events, r->now_us));
    else if (standing == STANDING_BROKEN) {
        buf_add_text(out, "broken: ");
        shown_add(out, a->why, 4 * a->why.n);
    } else if (standing != STANDING_WAITS)
        buf_add_text(out, standing_words[standing]);
    else if (a->party_count == 0)
        buf_add_text(out, "waits for your own signature");
    else
        for (size_t k = 0; k < a->party_count; k++)
            if (!agreement_sign_has(a, a->parties[k])) {
                buf_format(out, "%s%.*s", before, SPAN_ARGS(a->parties[k]));
                before = ", ";
            }
}

int
agreement_print(struct buf *out, struct err *err)
{
    int rc = setup_print(out, "what is shown", err);

    buf_free(out);
    return rc;
}
