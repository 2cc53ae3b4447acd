#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/team.h"
#include "cli/walls.h"
#include "flow/cards.h"
#include "flow/lpm.h"
#include "fmt/input.h"
#include "fmt/json.h"
#include "model/special.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OUT_BYTES_MAX = 1 << 28, OVERLAPS_SHOWN = 50, ARENA_BYTES = 64 << 20 };

struct lint {
    bool json;
    bool all;
    bool sandbox;
    const char *given; /* NULL: the directory in use */
    const struct roster *roster;
    struct buf out;
    bool known[ECONOMY_COUNT];
    size_t errors;
    size_t warnings;
    size_t overlaps;
};

static void say(struct lint *lint, bool error, const char *what, struct span team,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

static void
say(struct lint *lint, bool error, const char *what, struct span team, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lint->errors += error;
    lint->warnings += !error;
    if (!lint->json) {
        buf_format(&lint->out, "%-8s%-15s%.*s%s%s\n", error ? "error" : "warning", what,
            SPAN_ARGS(team), team.n > 0 ? ": " : "", text);
        return;
    }
    buf_format(&lint->out,
        "{\"level\":\"%s\",\"finding\":\"%s\",\"team\":", error ? "error" : "warning", what);
    if (team.n > 0)
        json_add_string(&lint->out, team);
    else
        buf_add_text(&lint->out, "null");
    buf_add_text(&lint->out, ",\"message\":");
    json_add_string(&lint->out, span_of(text));
    buf_add_text(&lint->out, "}\n");
}

static void
bad_card(void *ctx, const char *file, const struct err *why)
{
    char place[32] = "";

    if (why->line > 0)
        (void)snprintf(place, sizeof place, ", card %llu", (unsigned long long)why->line);
    say(ctx, true, "card", (struct span){"", 0}, "%s%s: %s%s%s", file, place, why->field,
        why->field[0] ? ": " : "", why->msg);
}

/* The codes of share/economies.csv's first column. */
static int
read_economies(struct lint *lint, struct err *err)
{
    char share[SETUP_PATH_BYTES];
    char path[SETUP_PATH_BYTES + 32];
    struct input *input;
    struct span line;
    uint64_t number;
    int rc = setup_share_dir(share, err);

    if (rc != 0)
        return rc;
    (void)snprintf(path, sizeof path, "%s/economies.csv", share);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be read", path);
    rc = input_open_fd(fd, path, &input, err);
    while (rc == 0 && (rc = input_line(input, &line, &number, err)) > 0) {
        if (number > 1 && line.n > 2 && line.p[2] == ',')
            lint->known[economy_find((struct span){line.p, 2}).index] = true;
        rc = 0;
    }
    input_close(input);
    (void)close(fd);
    return rc;
}

static void
check_team(struct lint *lint, const struct team *team)
{
    char text[ADDRESS_TEXT_BYTES];
    char code[3];

    for (size_t i = 0; i < team->prefix_count; i++) {
        const char *special = special_word(&team->prefixes[i]);
        (void)address_format(&team->prefixes[i], text);
        if (special != NULL)
            say(lint, false, "special-prefix", team->id, "%s is %s, nobody's on the Internet", text,
                special);
    }
    for (size_t i = 0; i < team->economy_count; i++) {
        economy_code(team->economies[i], code);
        if (!lint->known[team->economies[i].index])
            say(lint, false, "economy", team->id, "%s is not in share/economies.csv", code);
    }
    if (team->economy_count == 0 && team->prefix_count + team->asn_count + team->domain_count == 0)
        say(lint, false, "claims-nothing", team->id, "no economy valid today and no constituency");
    if (lint->all && !team->channels.any)
        say(lint, false, "no-channel", team->id, "no channel: nothing can be sent");
    if (lint->all && !team->verified)
        say(lint, false, "unverified", team->id, "not confirmed by the operator");
}

static size_t
vouches_written(struct json *json, struct span card)
{
    struct json_value root;
    struct json_value list;
    struct json_value item;
    struct span key;
    struct err why;
    size_t count = 0;

    if (json_parse_copy(json, card, &root, &why) == 0 && json_get(root, "vouches", &list)
        && json_type(list) == JSON_ARRAY)
        for (struct json_iter it = json_iter(list); json_next(&it, &key, &item);)
            count++;
    return count;
}

/* A wrong signature is told where the card is read; vouches do not make a card wrong. */
static void
check_signed(struct lint *lint, struct arena *arena, struct json *json, const struct team *team)
{
    struct cards_read read;
    struct err why;

    arena_reset(arena);
    int rc = cards_read(arena, team->card, &read, &why);
    if (rc != 0 && lint->all)
        say(lint, false, "unsigned", team->id, "not signed by the team itself");
    size_t written = rc == 0 ? vouches_written(json, team->card) : 0;
    if (rc == 0 && written > read.card.vouch_count)
        say(lint, false, "vouch", team->id,
            "%zu of %zu vouches count for nothing: they are wrong, for another key, or twice there",
            written - read.card.vouch_count, written);
}

static int
check_all_signed(struct lint *lint, struct err *err)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct json *json = json_new(CARD_SIGNED_BYTES_MAX);
    int rc = arena == NULL || json == NULL
        ? err_set(err, ERR_NO_MEMORY, "no memory to look at signatures")
        : 0;

    for (uint32_t i = 1; rc == 0 && i <= roster_count(lint->roster); i++)
        check_signed(lint, arena, json, roster_team(lint->roster, (struct team_id){i}));
    json_free(json);
    arena_free(arena);
    return rc;
}

struct owned {
    struct address prefix;
    const struct team *team;
};

static int
compare_owned(const void *left, const void *right)
{
    const struct owned *a = left;
    const struct owned *b = right;

    return lpm_compare(&a->prefix, &b->prefix);
}

static void
overlap(struct lint *lint, struct span team, struct span other, const char *what)
{
    if (lint->overlaps++ < OVERLAPS_SHOWN || lint->all)
        say(lint, false, "overlap", team, "%s is claimed by %.*s too", what, SPAN_ARGS(other));
}

/* Prefixes in order: one that overlaps another lies inside one that is still open. */
static int
check_prefixes(struct lint *lint, struct err *err)
{
    const struct owned *open[130];
    size_t depth = 0;
    size_t count = 0;
    struct owned *owned;

    for (uint32_t i = 1; i <= roster_count(lint->roster); i++)
        count += roster_team(lint->roster, (struct team_id){i})->prefix_count;
    owned = calloc(count + 1, sizeof *owned);
    if (owned == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to compare %zu prefixes", count);
    count = 0;
    for (uint32_t i = 1; i <= roster_count(lint->roster); i++) {
        const struct team *team = roster_team(lint->roster, (struct team_id){i});
        for (size_t j = 0; j < team->prefix_count; j++)
            owned[count++] = (struct owned){team->prefixes[j], team};
    }
    qsort(owned, count, sizeof *owned, compare_owned);
    for (size_t i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_BYTES];
        while (depth > 0 && !address_in(&owned[i].prefix, &open[depth - 1]->prefix))
            depth--;
        (void)address_format(&owned[i].prefix, text);
        if (depth > 0 && open[depth - 1]->team != owned[i].team)
            overlap(lint, owned[i].team->id, open[depth - 1]->team->id, text);
        if (depth == 0 || lpm_compare(&open[depth - 1]->prefix, &owned[i].prefix) != 0)
            open[depth++] = &owned[i];
    }
    free(owned);
    return 0;
}

static void
check_names(struct lint *lint, uint32_t index)
{
    const struct team *team = roster_team(lint->roster, (struct team_id){index});
    uint8_t others;

    for (size_t i = 0; i < team->asn_count; i++) {
        struct team_id owner = roster_by_asn(lint->roster, team->asns[i], &others);
        char text[16];
        (void)snprintf(text, sizeof text, "AS%u", team->asns[i]);
        if (owner.index != index)
            overlap(lint, team->id, roster_team(lint->roster, owner)->id, text);
    }
    for (size_t i = 0; i < team->domain_count; i++) {
        struct span suffix;
        struct team_id owner = roster_by_domain(lint->roster, team->domains[i], &suffix, &others);
        if (owner.index != index)
            overlap(lint, team->id, roster_team(lint->roster, owner)->id, team->domains[i].p);
    }
}

static void
check_economies(struct lint *lint)
{
    struct buf codes = buf_new(8192);
    size_t missing = 0;
    uint8_t others;
    char code[3];

    for (size_t i = 1; i < ECONOMY_COUNT; i++) {
        struct economy economy = {(uint16_t)i};
        if (!lint->known[i])
            continue;
        economy_code(economy, code);
        if (roster_by_economy(lint->roster, economy, &others).index == 0) {
            buf_format(&codes, "%s%s", missing++ > 0 ? " " : "", code);
            continue;
        }
        if (others > 0)
            say(lint, false, "economy-shared", (struct span){"", 0},
                "%s: %.*s answers, %u more claim it", code,
                SPAN_ARGS(
                    roster_team(lint->roster, roster_by_economy(lint->roster, economy, &others))
                        ->id),
                others);
    }
    if (missing > 0)
        say(lint, false, "no-national", (struct span){"", 0},
            "%zu economies have no national team: %.*s", missing, (int)codes.n, codes.p);
    buf_free(&codes);
}

static int
check(struct lint *lint, struct err *err)
{
    size_t unverified = 0;
    size_t silent = 0;
    int rc = check_prefixes(lint, err);

    if (rc == 0)
        rc = check_all_signed(lint, err);
    if (rc != 0)
        return rc;
    for (uint32_t i = 1; i <= roster_count(lint->roster); i++) {
        const struct team *team = roster_team(lint->roster, (struct team_id){i});
        check_team(lint, team);
        check_names(lint, i);
        unverified += !team->verified;
        silent += !team->channels.any;
    }
    check_economies(lint);
    if (lint->overlaps > OVERLAPS_SHOWN && !lint->all)
        say(lint, false, "overlap", (struct span){"", 0}, "%zu more overlaps; --all shows them",
            lint->overlaps - OVERLAPS_SHOWN);
    if (silent > 0 && !lint->all)
        say(lint, false, "no-channel", (struct span){"", 0},
            "%zu teams have no channel; --all names them", silent);
    if (unverified > 0 && !lint->all)
        say(lint, false, "unverified", (struct span){"", 0},
            "%zu cards are UNVERIFIED; --all names them", unverified);
    if (!lint->json)
        buf_format(&lint->out, "%zu teams, %zu errors, %zu warnings\n", roster_count(lint->roster),
            lint->errors, lint->warnings);
    return 0;
}

static int
finish(struct lint *lint, struct roster *roster, int rc, struct err *err)
{
    if (rc == 0)
        rc = buf_check(&lint->out, "the findings", err);
    if (lint->out.n > 0 && fwrite(lint->out.p, 1, lint->out.n, stdout) != lint->out.n && rc == 0)
        rc = err_set(err, ERR_IO, "standard output cannot be written");
    buf_free(&lint->out);
    roster_free(roster);
    if (rc != 0)
        return setup_fail(err);
    return lint->errors > 0 ? EXIT_REJECTED : EXIT_DONE;
}

static int
read_options(struct lint *lint, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            lint->json = true;
        else if (strcmp(argv[i], "--all") == 0)
            lint->all = true;
        else if (strcmp(argv[i], "--no-sandbox") == 0)
            lint->sandbox = false;
        else if (argv[i][0] == '-' || lint->given != NULL)
            return err_set(err, ERR_USAGE,
                "lint takes --json, --all, --no-sandbox and one file or folder, not \"%s\"",
                argv[i]);
        else
            lint->given = argv[i];
    }
    return 0;
}

/* Cards may be anybody's: they are read behind the walls. */
static int
load(struct lint *lint, struct roster **roster, struct err *err)
{
    char path[SETUP_PATH_BYTES];
    const struct walls walls = {
        .wanted = lint->sandbox, .files = (const char *const[]){path}, .file_count = 1};
    int rc = setup_teams_path(lint->given, path, err);

    if (rc == 0)
        rc = read_economies(lint, err);
    if (rc == 0)
        rc = walls_enter(&walls, err);
    if (rc == 0)
        rc = roster_load(path, NULL, bad_card, lint, roster, err);
    lint->roster = *roster;
    return rc;
}

int
team_lint(int argc, char **argv)
{
    struct lint lint = {.sandbox = true, .out = buf_new(OUT_BYTES_MAX)};
    struct roster *roster = NULL;
    struct err err = {0};
    int rc = read_options(&lint, argc, argv, &err);

    if (rc == 0)
        rc = load(&lint, &roster, &err);
    if (rc == 0)
        rc = check(&lint, &err);
    return finish(&lint, roster, rc, &err);
}
