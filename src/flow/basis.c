#include "flow/basis.h"

#include "flow/doc.h"
#include "flow/secretfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 256 * 1024 * 1024, LINE_BYTES = 1024, PATH_BYTES = 4096 + 32 };

__attribute__((format(printf, 2, 3))) static void
tell(const struct basis_options *options, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    if (options->tell == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    options->tell(options->ctx, line);
}

static void
tell_waiting(const struct basis *basis, const struct basis_options *options)
{
    const struct registry *r = basis->registry;
    size_t waiting = 0;

    for (size_t i = 0; i < r->count; i++)
        waiting += registry_standing(r, i, options->at_us) == STANDING_WAITS;
    if (waiting > 0)
        tell(options, "%zu agreement%s of the register %s for signatures and do%s not count",
            waiting, waiting == 1 ? "" : "s", waiting == 1 ? "waits" : "wait",
            waiting == 1 ? "es" : "");
}

/* Suspended and ended ones are left out when the policy is compiled, so it is good until then. What
 * runs out is seen then too, so that it is noted: the clock may be set back while nobody looks; and
 * what begins, so that partners see it begin. */
static void
find_changes(struct basis *basis, const struct agreement_set *set, int64_t at_us)
{
    const struct journal *journal = &basis->registry->journal;

    for (size_t i = 0; i < journal->count; i++)
        if (journal->events[i].at_us > at_us && journal->events[i].at_us < basis->changes_us)
            basis->changes_us = journal->events[i].at_us;
    for (size_t i = 0; i < set->count; i++) {
        const int64_t ends[] = {
            set->agreements[i].valid_from_us, set->agreements[i].valid_until_us};
        for (size_t e = 0; e < 2; e++)
            if (ends[e] > at_us && ends[e] < basis->changes_us)
                basis->changes_us = ends[e];
    }
}

/* What everybody signed, and whether the clock can be believed: what has ended must not come back
 * because it was set back. */
static int
load_register(struct basis *basis, const struct basis_options *options, struct agreement_set *out,
    bool *has_baseline, struct err *err)
{
    bool there = false;
    struct err why;
    int rc = registry_exists(options->home, &there, err);

    if (rc != 0 || !there)
        return rc;
    rc = registry_open(options->home, REGISTRY_READ, options->roster, &basis->registry, err);
    if (rc != 0)
        return rc;
    if (registry_see(basis->registry, options->now_us, &basis->clock_trusted, &why) != 0)
        tell(options, "the time could not be noted: %s", why.msg);
    if (!basis->clock_trusted)
        tell(options,
            "the clock is behind a time that was seen already, so everything is withheld "
            "(`comity agreement clock`)");
    tell_waiting(basis, options);
    rc = registry_in_force(basis->registry, basis->arena, options->at_us, out, has_baseline, err);
    if (rc == 0)
        find_changes(basis, out, options->at_us);
    return rc;
}

/* The operator vouches for what they name, but not for a signature that is wrong. */
static int
check_signatures(struct basis *basis, const struct basis_options *options,
    struct agreement_set *set, struct err *err)
{
    struct keyring *ring = keyring_new();
    struct agreement *rows = arena_zalloc(basis->arena, set->count + 1, sizeof *rows);
    int rc = ring == NULL || rows == NULL ? arena_full(err, "the agreements") : 0;

    if (rc == 0)
        rc = keyring_add_roster(ring, options->roster, err);
    if (rc == 0 && set->count > 0)
        memcpy(rows, set->agreements, set->count * sizeof *rows);
    if (rc == 0)
        rc = agreement_sign_check(basis->arena, rows, set->count, ring, SPAN(""), err);
    *set = (struct agreement_set){rows, set->count};
    keyring_free(ring);
    return rc;
}

/* A path of the share folder; documents keep the name of their file. */
static int
shipped(struct basis *basis, const struct basis_options *options, const char *name,
    const char **out, struct err *err)
{
    char *path = arena_alloc(basis->arena, PATH_BYTES);

    if (path == NULL)
        return arena_full(err, "a path");
    int n = snprintf(path, PATH_BYTES, "%s/%s", options->share_dir, name);
    *out = path;
    return n > 0 && n < PATH_BYTES
        ? 0
        : err_set(err, ERR_LIMIT, "the path of the share folder is too long");
}

static int
load_feeds(struct basis *basis, const struct basis_options *options, struct err *err)
{
    int rc = 0;

    basis->feeds_path = options->feeds_path;
    if (basis->feeds_path == NULL)
        rc = shipped(basis, options, "feeds.json", &basis->feeds_path, err);
    if (rc == 0)
        rc = feeds_load(basis->arena, basis->feeds_path, &basis->feeds, err);
    if (rc == 0 && options->default_tlp != TLP_UNKNOWN)
        basis->feeds.tlp = (uint8_t)options->default_tlp;
    return rc;
}

static int
load_named(struct basis *basis, const struct basis_options *options, struct agreement_set *out,
    struct err *err)
{
    int rc = agreements_load(basis->arena, options->agreements, options->agreement_count, out, err);

    return rc == 0 ? check_signatures(basis, options, out, err) : rc;
}

static int
load_own(struct basis *basis, const struct basis_options *options, struct agreement_set *out,
    struct err *err)
{
    struct agreement_set kept = {NULL, 0};
    struct agreement_set loaded = {NULL, 0};
    bool has_baseline = false;
    int rc = options->home == NULL ? 0 : load_register(basis, options, &kept, &has_baseline, err);

    if (rc == 0 && !has_baseline)
        rc = shipped(basis, options, "agreements", &basis->baseline_path, err);
    if (rc == 0 && !has_baseline)
        rc = agreements_load(basis->arena, &basis->baseline_path, 1, &loaded, err);
    return rc == 0 ? agreements_join(basis->arena, &kept, &loaded, out, err) : rc;
}

static int
load_agreements(struct basis *basis, const struct basis_options *options, struct err *err)
{
    struct agreement_set set = {NULL, 0};
    int rc = options->agreement_count > 0 ? load_named(basis, options, &set, err)
                                          : load_own(basis, options, &set, err);

    if (rc == 0)
        rc = agreements_join(basis->arena, &set, &basis->feeds.conditions, &basis->agreements, err);
    for (size_t i = 0; rc == 0 && i < basis->agreements.count; i++) {
        const struct agreement *a = &basis->agreements.agreements[i];
        if (a->broken)
            tell(options, "agreement %.*s: what it may cover is withheld: %.*s", SPAN_ARGS(a->file),
                SPAN_ARGS(a->why));
    }
    return rc;
}

static bool
names_community(const struct agreement_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t c = 0; c < set->agreements[i].clause_count; c++) {
            const struct party_pattern *to = &set->agreements[i].clauses[c].to;
            if (to->type == PARTY_TEAM && span_equal(to->team, SPAN(BASIS_COMMUNITY)))
                return true;
        }
    return false;
}

static int
compile(struct basis *basis, const struct basis_options *options, struct err *err)
{
    size_t count = roster_count(options->roster);
    struct policy_team *teams = calloc(count + 1, sizeof *teams);
    /* The policy keeps where the set is, and a basis may be copied. */
    struct agreement_set *set = (struct agreement_set *)arena_copy(
        basis->arena, (const char *)&basis->agreements, sizeof basis->agreements);

    if (teams == NULL || set == NULL) {
        free(teams);
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu teams", count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct team *team = roster_team(options->roster, (struct team_id){(uint32_t)i + 1});
        teams[i] = (struct policy_team){.id = team->id,
            .economies = team->economies,
            .economy_count = team->economy_count,
            .channels = team->channels};
        if (options->channels != NULL)
            options->channels(options->ctx, team, &teams[i].channels);
    }
    teams[count] = (struct policy_team){
        .id = SPAN(BASIS_COMMUNITY), .channels = {.any = true}, .named_only = true};
    if (options->community && names_community(&basis->agreements)
        && roster_find(options->roster, SPAN(BASIS_COMMUNITY)).index == 0)
        basis->community.index = (uint32_t)++count;
    int rc = policy_compile(set, teams, count, &basis->policy, err);
    free(teams);
    return rc;
}

static int
load_extras(struct basis *basis, const struct basis_options *options, struct err *err)
{
    const char *path = NULL;
    struct span text;
    int rc = shipped(basis, options, "tables/extra-fields.csv", &path, err);

    if (rc == 0)
        rc = doc_file(basis->arena, path, &text, err);
    return rc == 0 ? extra_fields_parse(text, path, &basis->extras, err) : rc;
}

int
basis_load(struct basis *basis, const struct basis_options *options, struct err *err)
{
    *basis = (struct basis){
        .arena = arena_new(ARENA_BYTES), .clock_trusted = true, .changes_us = INT64_MAX};
    if (basis->arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to begin");
    int rc = load_feeds(basis, options, err);
    if (rc == 0)
        rc = load_agreements(basis, options, err);
    if (rc == 0)
        rc = compile(basis, options, err);
    if (rc == 0)
        rc = load_extras(basis, options, err);
    if (rc == 0 && options->secret_path != NULL)
        rc = secretfile_open(options->secret_path, &basis->pseudonyms, err);
    return rc;
}

void
basis_free(struct basis *basis)
{
    policy_free(basis->policy);
    extra_fields_free(basis->extras);
    pseudonyms_free(basis->pseudonyms);
    registry_close(basis->registry);
    arena_free(basis->arena);
    *basis = (struct basis){0};
}
