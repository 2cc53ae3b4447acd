/* By which directory, agreements and feeds does this node judge now? */
#include "base/hash.h"
#include "core/agreements_in.h"
#include "core/cards.h"
#include "core/directory.h"
#include "core/intake.h"
#include "core/logbook.h"
#include "core/mail.h"
#include "core/peers.h"
#include "core/state.h"
#include "flow/cards.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, AGAIN_US = 10000000 };

static void
tell_basis(void *ctx, const char *line)
{
    const struct core *core = ctx;

    core_tell(core, "%s", line);
}

static void
tell_card(void *ctx, const char *file, const struct err *why)
{
    const struct core *core = ctx;

    core_tell(core, "team card left out: %s: %s%s%s", file, why->field,
        why->field[0] != '\0' ? " " : "", why->msg);
}

/* What the register's files were when they were read. */
static uint64_t
register_state(const struct core *core)
{
    static const char *const names[] = {"journal.jsonl", "team", "keys", "agreements", "cards"};
    char path[PATH_BYTES];
    struct stat about;
    uint64_t state = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", core->options.home, names[i]);
        if (stat(path, &about) != 0)
            continue;
        const int64_t facts[] = {
            about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec, (int64_t)about.st_ino};
        state = hash_bytes(facts, sizeof facts, state + i + 1);
    }
    return state;
}

static int
load_basis(struct core *core, const struct roster *roster, struct basis *basis, struct err *err)
{
    const struct core_options *o = &core->options;
    char secret[PATH_BYTES];
    struct stat about;

    (void)snprintf(secret, sizeof secret, "%s/secret", o->home);
    bool has_secret = lstat(secret, &about) == 0 || errno != ENOENT;
    int64_t now = clock_now_us();
    const struct basis_options options = {.roster = roster,
        .share_dir = o->share_dir,
        .home = o->home,
        .agreements = &o->agreements,
        .agreement_count = o->agreements != NULL ? 1 : 0,
        .feeds_path = o->feeds_path,
        .secret_path = has_secret ? secret : NULL,
        .community = true,
        .now_us = now,
        .at_us = now,
        .channels = mail_channels,
        .tell = tell_basis,
        .ctx = core};
    return basis_load(basis, &options, err);
}

static int
keep_document(
    struct core *core, struct span kind, struct span id, struct span text, struct err *err)
{
    const struct store_document document = {kind, id, clock_now_us(), text};
    bool new;

    return text.n == 0 ? 0 : store_document_put(core->store, &document, &new, err);
}

/* What the node saw, every version. */
static int
keep_documents(struct core *core, struct err *err)
{
    const struct agreement_set *set = &core->basis.agreements;
    int rc = core_begin(core, err);

    for (size_t i = 0; rc == 0 && i < set->count; i++)
        if (set->agreements[i].kind != AGREEMENT_FEED)
            rc = keep_document(
                core, SPAN("agreement"), set->agreements[i].id, set->agreements[i].text, err);
    for (uint32_t i = 1; rc == 0 && i <= roster_count(core->roster); i++) {
        const struct team *team = roster_team(core->roster, (struct team_id){i});
        rc = keep_document(core, SPAN("card"), team->id, team->card, err);
    }
    return rc;
}

static struct team_id
own_team(const struct core *core)
{
    const struct registry *registry = core->basis.registry;
    const char *id = core->options.team;

    if (id == NULL && registry != NULL && registry->team[0] != '\0')
        id = registry->team;
    if (id == NULL)
        return (struct team_id){0};
    struct team_id team = roster_find(core->roster, span_of(id));
    if (team.index == 0)
        core_tell(core,
            "this node is that of %s, which no team of the directory has as its id: its reports "
            "count as an unknown sender's",
            id);
    return team;
}

/* ROSTER and BASIS become core's. */
static void
take_over(struct core *core, struct roster *roster, const struct basis *basis, uint32_t *numbers)
{
    basis_free(&core->basis);
    roster_free(core->roster);
    free(core->team_numbers);
    core->roster = roster;
    core->basis = *basis;
    core->team_numbers = numbers;
    core->knowledge++;
    core->team = own_team(core);
}

static int
load_roster(struct core *core, struct roster **out, struct err *err)
{
    char cards[CARDS_PATH_BYTES];
    int rc = cards_folder(core->options.home, cards, err);

    return rc == 0 ? roster_load(core->options.teams_path, cards, tell_card, core, out, err) : rc;
}

int
knowledge_read(struct core *core, struct err *err)
{
    struct roster *roster = NULL;
    struct basis basis = {0};
    uint32_t *numbers = NULL;
    uint64_t state = register_state(core);
    int rc = load_roster(core, &roster, err);

    if (rc == 0)
        rc = load_basis(core, roster, &basis, err);
    if (rc == 0 && core->geo == NULL && core->options.geo_path != NULL)
        rc = geo_open(core->options.geo_path, &core->geo, err);
    if (rc == 0 && (numbers = calloc(roster_count(roster) + 2, sizeof *numbers)) == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory for the directory");
    if (rc != 0) {
        basis_free(&basis);
        roster_free(roster);
        return rc;
    }
    /* What lies in the open batch was decided by what holds until now, and is told by it. */
    rc = core->intake != NULL ? intake_seal(core, err) : 0;
    if (rc != 0)
        core_lose(core, err);
    take_over(core, roster, &basis, numbers);
    core->register_state = state;
    rc = keep_documents(core, err);
    if (rc == 0)
        rc = logbook_events(core, err);
    if (rc == 0)
        rc = directory_show(core, err);
    if (rc == 0)
        cards_again(core);
    if (rc == 0)
        agreements_again(core);
    if (rc == 0)
        cards_own_look(core);
    if (rc == 0)
        peers_follow(core);
    return rc;
}

void
knowledge_renew(struct core *core)
{
    bool ill = core->stale.code != 0 || !core->basis.clock_trusted;
    int64_t ticks = clock_ticks_us();
    struct err err = {0};

    if (clock_now_us() < core->basis.changes_us && register_state(core) == core->register_state
        && (!ill || ticks < core->renew_at_us))
        return;
    core->renew_at_us = ticks + AGAIN_US;
    core->register_state = register_state(core);
    int rc = knowledge_read(core, &err);
    if (rc != 0 && core->stale.code == 0)
        core_tell(
            core, "the agreements cannot be read anew, so no report is taken in: %s", err.msg);
    if (rc == 0)
        core->stale = (struct err){0};
    else
        core->stale = err;
}

void
knowledge_free(struct core *core)
{
    basis_free(&core->basis);
    roster_free(core->roster);
    geo_close(core->geo);
    free(core->team_numbers);
}

struct span
knowledge_team_id(const struct core *core, struct team_id team)
{
    if (team.index == 0)
        return (struct span){"", 0};
    return team.index <= roster_count(core->roster) ? roster_team(core->roster, team)->id
                                                    : SPAN(BASIS_COMMUNITY);
}

int
knowledge_team_number(struct core *core, struct team_id team, uint32_t *number, struct err *err)
{
    uint32_t *known = &core->team_numbers[team.index];
    int rc = 0;

    if (*known == 0 && team.index != 0)
        rc = store_team(core->store, knowledge_team_id(core, team), known, err);
    *number = *known;
    return rc;
}

struct span
knowledge_own_id(const struct core *core)
{
    if (core->team.index != 0)
        return knowledge_team_id(core, core->team);
    if (core->options.team != NULL)
        return span_of(core->options.team);
    return span_of(core->node_id);
}
