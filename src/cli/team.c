#include "cli/team.h"

#include "cli/cli.h"
#include "cli/home.h"
#include "cli/setup.h"
#include "cli/shown.h"
#include "flow/cards.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUT_BYTES_MAX = 1 << 28, ROW_BYTES = 4096, COLUMNS = 120, ARENA_BYTES = 64 << 20 };

static const char usage[] =
    "usage: comity team list [--json] [--economy XX] [--home FOLDER] [--teams DIR]\n"
    "       comity team show [--json] [--home FOLDER] [--teams DIR] ID...\n"
    "       comity team lint [--json] [--all] [--no-sandbox] [FILE|DIR]\n"
    "       comity team import --from first|ti|csv FILE -o DIR [--force] [--no-sandbox]\n"
    "       comity team publish [--as TEAM] [--url URL] [--card FILE] [-o FILE] [--home FOLDER]\n"
    "       comity team rekey [--lost] [--url URL] [--card FILE] [-o FILE] [--home FOLDER]\n"
    "       comity team vouch TEAM|FILE [-o FILE] [--home FOLDER]\n"
    "       comity team accept TEAM|FILE [--home FOLDER]\n"
    "       comity team refuse TEAM|FILE [--home FOLDER]\n"
    "       comity team waiting [--json] [--home FOLDER]\n"
    "\n"
    "The directory of teams: cards in JSON with RFC 2350's contents (doc/team-card.md).\n"
    "  list     one line a team; UNVERIFIED: the operator has not confirmed the card; SIGNED: it "
    "is\n"
    "           the team's own word, and was accepted\n"
    "  show     one card, and whose word it is; --json prints it as it was read\n"
    "  lint     wrong cards, private prefixes, overlapping constituencies, economies without a\n"
    "           national team or unknown, teams without a channel, unverified cards\n"
    "  import   FIRST's or Trusted Introducer's team JSON, or CSV, to cards; all of them "
    "unverified\n"
    "lint and import read other people's bytes in a sandbox, which follows no link out of DIR;\n"
    "--no-sandbox works even where the kernel has none.\n"
    "\n"
    "Signed cards, in the data folder; a running node notices what has changed there:\n"
    "  publish  sign this team's own card, with its node's address, certificate and keys, and "
    "print it\n"
    "  rekey    the same with a new key, which the old one signs\n"
    "  vouch    say that a card's key is that team's (ask them by another way first); accepts it, "
    "too\n"
    "  accept   take a card as its team's word, whatever key was known before\n"
    "  refuse   drop the cards of a team that wait; if none does, the one that was accepted\n"
    "  waiting  cards that wait for you, and why\n"
    "\n"
    "  --as TEAM      who this is; kept, so that it is said once\n"
    "  --url URL      https://HOST:PORT where others reach the door for partners; kept in the "
    "card\n"
    "  --card FILE    what the team says of itself (default: what --teams says, where that is "
    "given,\n"
    "                 else its card until now, else the directory's)\n"
    "  -o, --output FILE  write the signed card there, too\n"
    "  --lost         the old key is lost or stolen; others take the new one when two teams that "
    "they\n"
    "                 know vouch for it\n"
    "  --home FOLDER  the data folder (default: $COMITY_HOME, else where serve keeps it)\n"
    "  --teams DIR    the directory\n";

static bool
serves(const struct team *team, struct economy economy)
{
    for (size_t i = 0; i < team->economy_count; i++)
        if (team->economies[i].index == economy.index)
            return true;
    return economy.index == 0;
}

static void
add_economies(struct buf *out, const struct team *team)
{
    char code[3];

    for (size_t i = 0; i < team->economy_count; i++) {
        economy_code(team->economies[i], code);
        buf_format(out, "%s%s", i > 0 ? "," : "", code);
        if (!team->scopes[i].whole)
            buf_format(out, "(%.*s)", SPAN_ARGS(team->scopes[i].word));
    }
}

static void
list_team(struct buf *out, const struct team *team)
{
    struct buf economies = buf_new(ROW_BYTES);
    struct buf text = buf_new(2 * ROW_BYTES);

    add_economies(&economies, team);
    buf_format(&text, "%-28.*s %-20.*s %-18.*s %3zu %3zu %3zu  %s%.*s", SPAN_ARGS(team->id),
        SPAN_ARGS(team->kind), SPAN_ARGS(buf_span(&economies)), team->prefix_count, team->asn_count,
        team->domain_count,
        !team->verified        ? "UNVERIFIED "
            : team->word.n > 0 ? "SIGNED "
                               : "",
        SPAN_ARGS(team->name));
    shown_add(out, buf_span(&text), 4 * text.n);
    buf_add_char(out, '\n');
    buf_free(&economies);
    buf_free(&text);
}

static void
list(const struct roster *roster, struct economy economy, bool json, struct buf *out)
{
    size_t shown = 0;
    size_t unverified = 0;

    if (!json)
        buf_format(out, "%-28s %-20s %-18s %3s %3s %3s  %s\n", "ID", "KIND", "ECONOMIES", "PFX",
            "ASN", "DOM", "NAME");
    for (uint32_t i = 1; i <= roster_count(roster); i++) {
        const struct team *team = roster_team(roster, (struct team_id){i});
        if (!serves(team, economy))
            continue;
        shown++;
        unverified += !team->verified;
        if (json) {
            buf_add_span(out, team->card);
            buf_add_char(out, '\n');
        } else
            list_team(out, team);
    }
    if (!json)
        buf_format(out,
            "%zu teams, %zu of them UNVERIFIED: confirm each with the team before anything is "
            "sent\n",
            shown, unverified);
}

static void
row(struct buf *out, const char *name, struct span value)
{
    if (value.n == 0)
        return;
    buf_format(out, "  %-12s", name);
    shown_add(out, value, COLUMNS);
    buf_add_char(out, '\n');
}

static void
show_constituency(struct buf *out, const struct team *team)
{
    char text[ADDRESS_TEXT_BYTES];

    for (size_t i = 0; i < team->prefix_count; i++) {
        (void)address_format(&team->prefixes[i], text);
        row(out, i == 0 ? "prefixes" : "", span_of(text));
    }
    for (size_t i = 0; i < team->asn_count; i++)
        buf_format(out, "  %-12sAS%u\n", i == 0 ? "networks" : "", team->asns[i]);
    for (size_t i = 0; i < team->domain_count; i++)
        row(out, i == 0 ? "domains" : "", team->domains[i]);
}

static void
show_vouches(struct buf *out, const struct card_signed *card)
{
    struct buf names = buf_new(ROW_BYTES);

    for (size_t i = 0; i < card->vouch_count; i++)
        buf_format(&names, "%s%.*s", i > 0 ? ", " : "", SPAN_ARGS(card->vouches[i].by));
    row(out, "vouched by", buf_span(&names));
    buf_free(&names);
}

/* What the team says by its signature; a card that is not signed says nothing here. */
static void
show_signed(struct buf *out, const struct team *team)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    char print[CARD_PRINT_BYTES];
    struct cards_read read;
    struct err why;

    row(out, "whose word", team->word.n > 0 ? team->word : SPAN("the directory's"));
    if (arena != NULL && cards_read(arena, team->card, &read, &why) == 0) {
        card_sign_print(read.card.key, print);
        row(out, "version", read.card.version);
        row(out, "key", span_of(print));
        row(out, "node", read.card.node.url);
        row(out, "certificate", read.card.node.certificate);
        show_vouches(out, &read.card);
    }
    arena_free(arena);
}

static void
show(const struct team *team, bool json, struct buf *out)
{
    struct buf economies = buf_new(4096);

    if (json) {
        buf_add_span(out, team->card);
        buf_add_char(out, '\n');
        return;
    }
    add_economies(&economies, team);
    buf_format(out, "%.*s%s\n", SPAN_ARGS(team->id),
        team->verified ? "" : "  [UNVERIFIED: not confirmed by the operator]");
    row(out, "name", team->name);
    row(out, "full name", team->full_name);
    row(out, "kind", team->kind);
    row(out, "economies", buf_span(&economies));
    row(out, "site", team->site);
    row(out, "source", team->source);
    buf_format(out, "  %-12s%s\n", "channels",
        !team->channels.any            ? "none known"
            : team->channels.encrypted ? "known, one encrypted"
                                       : "known, none encrypted");
    show_constituency(out, team);
    show_signed(out, team);
    buf_free(&economies);
}

struct wanted {
    bool json;
    struct economy economy;
    struct setup_options options;
    const char *home;
    int count; /* of the arguments that are no options; they stand in front then */
};

static int
read_options(int argc, char **argv, struct wanted *wanted, struct err *err)
{
    const char *economy = NULL;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            argv[1 + wanted->count++] = argv[i];
            continue;
        }
        int rc = strcmp(argv[i], "--json") == 0;
        wanted->json = wanted->json || rc == 1;
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "teams", &wanted->options.teams_path, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "home", &wanted->home, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "economy", &economy, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option \"%s\"; `comity team --help` lists them", argv[i]);
    }
    if (economy == NULL)
        return 0;
    wanted->economy = economy_find(span_of(economy));
    return wanted->economy.index != 0
        ? 0
        : err_set(err, ERR_USAGE, "\"%s\" is no economy; write two letters, such as FI", economy);
}

static void
tell(void *ctx, const char *file, const struct err *why)
{
    (void)ctx;
    (void)fprintf(stderr, "comity: team card left out: %s: %s%s%s\n", file, why->field,
        why->field[0] ? ": " : "", why->msg);
}

static int
open_roster(const struct wanted *wanted, struct roster **roster, struct err *err)
{
    char path[SETUP_PATH_BYTES];
    int rc = setup_teams_path(wanted->options.teams_path, path, err);

    return rc != 0 ? rc : home_roster(wanted->home, path, tell, NULL, roster, err);
}

static int
show_each(const struct roster *roster, char **argv, const struct wanted *wanted, struct buf *out,
    struct err *err)
{
    if (wanted->count == 0)
        return err_set(err, ERR_USAGE, "show needs the id of a team; `comity team list` has them");
    for (int i = 1; i <= wanted->count; i++) {
        struct team_id id = roster_find(roster, span_of(argv[i]));
        if (id.index == 0)
            return err_set(err, ERR_NOT_FOUND,
                "no team has the id \"%s\"; `comity team list` has all", argv[i]);
        show(roster_team(roster, id), wanted->json, out);
    }
    return 0;
}

static int
list_or_show(int argc, char **argv, bool one)
{
    struct wanted wanted = {0};
    struct roster *roster = NULL;
    struct buf out = buf_new(OUT_BYTES_MAX);
    struct err err = {0};
    int rc = read_options(argc, argv, &wanted, &err);

    if (rc == 0 && !one && wanted.count > 0)
        rc = err_set(&err, ERR_USAGE, "list takes no team; `comity team show` does");
    if (rc == 0)
        rc = open_roster(&wanted, &roster, &err);
    if (rc == 0 && one)
        rc = show_each(roster, argv, &wanted, &out, &err);
    else if (rc == 0)
        list(roster, wanted.economy, wanted.json, &out);
    if (rc == 0)
        rc = setup_print(&out, "the list of teams", &err);
    buf_free(&out);
    roster_free(roster);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}

static int
team_list(int argc, char **argv)
{
    return list_or_show(argc, argv, false);
}

static int
team_show(int argc, char **argv)
{
    return list_or_show(argc, argv, true);
}

int
cli_team(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"list", team_list}, {"show", team_show}, {"lint", team_lint},
        {"import", team_import}, {"publish", team_publish}, {"rekey", team_rekey},
        {"vouch", team_vouch}, {"accept", team_accept}, {"refuse", team_refuse},
        {"waiting", team_waiting}};

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            return EXIT_DONE;
        }
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}
