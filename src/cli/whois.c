#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/shown.h"
#include "cli/walls.h"
#include "fmt/input.h"
#include "fmt/json.h"
#include "model/asked.h"
#include "model/special.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* OUT_BYTES_MAX: the longest line, each byte of it escaped, and what waits before it. */
enum { OUT_BYTES_MAX = 8 * INPUT_LINE_MAX, OUT_FLUSH = 1 << 16, NAME_WIDTH = 12, COLUMNS = 300 };

static const char usage[] =
    "usage: comity whois [--json] [--geo FILE] [--teams DIR] [--no-sandbox] "
    "ADDRESS|ASN|DOMAIN...|-\n"
    "\n"
    "Which network, economy and team answer for it, and by which rule?\n"
    "  ADDRESS   192.0.2.1, 2001:db8::1, or a prefix 192.0.2.0/24 (its first address is asked)\n"
    "  ASN       AS64500 or 64500\n"
    "  DOMAIN    www.example.org, in either form of internationalised names\n"
    "  -         queries from standard input, one a line, answered in order\n"
    "  --json    one object a line: query, kind, prefix, asn, as_name, economy, team, rule and "
    "the\n"
    "            evidence; null where nothing is known; \"error\" where the query is none\n"
    "  --no-sandbox   read standard input even where the kernel has no sandbox\n"
    "Exit status 1 if a query could not be understood.\n";

struct asking {
    struct setup setup;
    struct world world;
    struct buf out;
    bool json;
    bool flush_each;
    bool sandbox;
    size_t bad;
};

struct question {
    struct span text;
    struct asked asked;
};

/* The prefix known around the address: the one a team registered, else the finest of the table. */
static size_t
prefix_text(const struct question *q, const struct attribution *a, char out[ADDRESS_TEXT_BYTES])
{
    struct address p = q->asked.endpoint.ip;
    unsigned width = 128;

    if (a->rule == ATTRIBUTION_RULE_PREFIX)
        return address_format(&a->prefix, out);
    if (p.family == 6 && p.high == 0 && p.low >> 32 == 0xffff)
        p = (struct address){.low = (uint32_t)p.low, .family = 4, .bits = 32};
    if (p.family == 4)
        width = 32;
    out[0] = '\0';
    if (p.family == 0 || a->geo.bits == 0 || a->geo.bits > width)
        return 0;
    p.bits = a->geo.bits;
    if (p.family == 4)
        p.low = (uint32_t)(p.low >> (32 - p.bits) << (32 - p.bits));
    else if (p.bits <= 64) {
        p.high = p.high >> (64 - p.bits) << (64 - p.bits);
        p.low = 0;
    } else if (p.bits < 128)
        p.low = p.low >> (128 - p.bits) << (128 - p.bits);
    return address_format(&p, out);
}

static const struct team *
team_of(const struct asking *ask, const struct attribution *a)
{
    return a->team.index == 0 ? NULL : roster_team(ask->setup.roster, a->team);
}

static uint32_t
asn_of(const struct attribution *a)
{
    return a->geo.asn != 0 ? a->geo.asn : a->feed_asn;
}

static struct span
as_name(const struct asking *ask, uint32_t asn)
{
    return asn == 0 || ask->setup.geo == NULL ? (struct span){"", 0}
                                              : geo_asn_name(ask->setup.geo, asn);
}

static void
add_member(struct buf *out, const char *name, struct span value)
{
    buf_add_text(out, ",\"");
    buf_add_text(out, name);
    buf_add_text(out, "\":");
    if (value.n == 0)
        buf_add_text(out, "null");
    else
        json_add_string(out, value);
}

static void
add_economy(struct buf *out, const char *name, struct economy economy)
{
    char code[3];

    economy_code(economy, code);
    add_member(out, name, span_of(code));
}

static struct economy
economy_of_asn(const struct asking *ask, const struct attribution *a)
{
    if (a->geo.asn_economy.index != 0 || ask->setup.geo == NULL || a->geo.asn != 0)
        return a->geo.asn_economy;
    return geo_asn_economy(ask->setup.geo, a->feed_asn);
}

static void
answer_json(struct asking *ask, const struct question *q, const struct attribution *a)
{
    static const struct span none = {"", 0};
    const struct team *team = team_of(ask, a);
    const char *special = special_word(&q->asked.endpoint.ip);
    uint32_t asn = asn_of(a);
    char prefix[ADDRESS_TEXT_BYTES];

    buf_add_text(&ask->out, "{\"query\":");
    json_add_string(&ask->out, q->text);
    add_member(&ask->out, "kind", span_of(q->asked.kind));
    (void)prefix_text(q, a, prefix);
    add_member(&ask->out, "prefix", span_of(prefix));
    buf_add_text(&ask->out, ",\"asn\":");
    if (asn != 0)
        buf_add_u64(&ask->out, asn);
    else
        buf_add_text(&ask->out, "null");
    add_member(&ask->out, "as_name", as_name(ask, asn));
    add_economy(&ask->out, "economy", a->economy);
    add_member(&ask->out, "team", team == NULL ? none : team->id);
    add_member(&ask->out, "rule", span_of(attribution_rule_word((enum attribution_rule)a->rule)));
    add_member(&ask->out, "team_name", team == NULL ? none : team->name);
    if (team != NULL)
        buf_format(&ask->out, ",\"verified\":%s,\"other_teams\":%u",
            team->verified ? "true" : "false", a->other_teams);
    add_member(&ask->out, "word", team == NULL ? none : team->word);
    add_member(
        &ask->out, "registered_domain", a->rule == ATTRIBUTION_RULE_DOMAIN ? a->domain : none);
    add_economy(&ask->out, "registry_economy", a->geo.economy);
    add_economy(&ask->out, "asn_economy", economy_of_asn(ask, a));
    add_member(&ask->out, "special", special == NULL ? none : span_of(special));
    buf_format(&ask->out, ",\"disagrees\":%s}\n", attribution_disagrees(a) ? "true" : "false");
}

static void line(struct buf *out, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
line(struct buf *out, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_format(out, "  %-*s", NAME_WIDTH, name);
    shown_add(out, span_of(text), 4 * sizeof text);
    buf_add_char(out, '\n');
}

static void
answer_evidence(struct asking *ask, const struct attribution *a)
{
    char registry[3];
    char network[3];

    economy_code(a->geo.economy, registry);
    economy_code(economy_of_asn(ask, a), network);
    if (registry[0] == '\0' && network[0] == '\0')
        return;
    line(&ask->out, "evidence", "registry allocation %s, network's holder %s%s",
        registry[0] ? registry : "unknown", network[0] ? network : "unknown",
        attribution_disagrees(a) ? "; they DISAGREE" : "");
}

static void
answer_team(struct asking *ask, const struct attribution *a)
{
    const struct team *team = team_of(ask, a);

    if (team != NULL) {
        line(&ask->out, "team", "%.*s, %.*s%s", SPAN_ARGS(team->id), SPAN_ARGS(team->name),
            team->verified ? "" : " [UNVERIFIED]");
        if (team->word.n > 0)
            line(&ask->out, "its card", "%.*s", (int)team->word.n, team->word.p);
        if (team->site.n > 0)
            line(&ask->out, "site", "%.*s", SPAN_ARGS(team->site));
    } else
        line(&ask->out, "team", "nobody");
    line(&ask->out, "rule", "%s: %s", attribution_rule_word((enum attribution_rule)a->rule),
        attribution_rule_text((enum attribution_rule)a->rule));
    if (a->rule == ATTRIBUTION_RULE_DOMAIN)
        line(&ask->out, "registered", "%.*s", SPAN_ARGS(a->domain));
    if (a->other_teams > 0)
        line(&ask->out, "others", "%u more claim the same", a->other_teams);
}

static void
answer_text(struct asking *ask, const struct question *q, const struct attribution *a)
{
    const char *special = special_word(&q->asked.endpoint.ip);
    uint32_t asn = asn_of(a);
    struct span name = as_name(ask, asn);
    char prefix[ADDRESS_TEXT_BYTES];
    char code[3];

    shown_add(&ask->out, q->text, COLUMNS);
    buf_add_char(&ask->out, '\n');
    if (special != NULL)
        line(&ask->out, "address", "%s: nobody's on the Internet", special);
    if (prefix_text(q, a, prefix) > 0)
        line(&ask->out, "prefix", "%s", prefix);
    if (asn != 0)
        line(&ask->out, "network", "AS%u %.*s", asn, SPAN_ARGS(name));
    economy_code(a->economy, code);
    line(&ask->out, "economy", "%s", code[0] == '\0' ? "unknown" : code);
    answer_team(ask, a);
    answer_evidence(ask, a);
}

static void
answer_bad(struct asking *ask, struct span text, const struct err *err)
{
    ask->bad++;
    if (ask->json) {
        buf_add_text(&ask->out, "{\"query\":");
        json_add_string(&ask->out, span_is_utf8(text) ? text : SPAN("(not UTF-8)"));
        add_member(&ask->out, "error", span_of(err_word(err->code)));
        add_member(&ask->out, "message",
            span_is_utf8(span_of(err->msg)) ? span_of(err->msg)
                                            : SPAN("the query is not valid UTF-8"));
        buf_add_text(&ask->out, "}\n");
        return;
    }
    shown_add(&ask->out, text, COLUMNS);
    buf_add_char(&ask->out, '\n');
    line(&ask->out, "error", "%s", err->msg);
}

static int
flush(struct asking *ask, struct err *err)
{
    int rc = setup_print(&ask->out, "the answers", err);

    ask->out.n = 0;
    return rc;
}

static int
answer(struct asking *ask, struct span text, struct err *err)
{
    struct question q = {.text = text};
    struct attribution a;
    struct err why = {0};

    text = span_trim(text);
    if (asked_understand(text, &q.asked, &why) != 0)
        answer_bad(ask, text, &why);
    else {
        attribute_endpoint(&ask->world, &q.asked.endpoint, &a);
        if (ask->json)
            answer_json(ask, &q, &a);
        else
            answer_text(ask, &q, &a);
    }
    return ask->flush_each || ask->out.n > OUT_FLUSH ? flush(ask, err) : 0;
}

static int
answer_stdin(struct asking *ask, struct err *err)
{
    struct input *input;
    struct span text;
    uint64_t number;
    int rc = input_open_fd(STDIN_FILENO, "standard input", &input, err);

    if (rc != 0)
        return rc;
    ask->flush_each = isatty(STDIN_FILENO) == 1;
    while ((rc = input_line(input, &text, &number, err)) != 0) {
        if (rc == ERR_LIMIT)
            answer_bad(ask, SPAN(""), err);
        else if (rc > 0)
            rc = answer(ask, text, err);
        if (rc < 0 && rc != ERR_LIMIT)
            break;
    }
    input_close(input);
    return rc;
}

/* The command line is the operator's own; standard input may be anybody's. */
static int
enter_walls(const struct asking *ask, int argc, char **argv, int first, struct err *err)
{
    const struct walls walls = {.wanted = ask->sandbox};

    for (int i = first; i < argc; i++)
        if (strcmp(argv[i], "-") == 0)
            return walls_enter(&walls, err);
    return 0;
}

static int
run(struct asking *ask, int argc, char **argv, int first, struct err *err)
{
    int rc = enter_walls(ask, argc, argv, first, err);

    for (int i = first; rc == 0 && i < argc; i++)
        rc =
            strcmp(argv[i], "-") == 0 ? answer_stdin(ask, err) : answer(ask, span_of(argv[i]), err);
    if (rc == 0 && !ask->json && ask->setup.geo != NULL)
        buf_format(&ask->out, "\nAddress data: %.*s\nIP to network by DB-IP, https://db-ip.com\n",
            (int)geo_sources(ask->setup.geo).n, geo_sources(ask->setup.geo).p);
    return rc == 0 ? flush(ask, err) : rc;
}

/* Options come first; returns the place of the first query, or an error. */
static int
options(int argc, char **argv, struct asking *ask, struct setup_options *chosen, struct err *err)
{
    int i = 1;
    int rc = 0;

    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            ask->json = true;
            continue;
        }
        if (strcmp(argv[i], "--no-sandbox") == 0) {
            ask->sandbox = false;
            continue;
        }
        rc = setup_option(argc, argv, &i, "geo", &chosen->geo_path, err);
        if (rc == 0)
            rc = setup_option(argc, argv, &i, "teams", &chosen->teams_path, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return err_set(
                err, ERR_USAGE, "no option \"%s\"; `comity whois --help` lists them", argv[i]);
    }
    if (i >= argc)
        return err_set(err, ERR_USAGE,
            "whois needs an address, an AS number or a domain; `comity whois --help` says more");
    return i;
}

int
cli_whois(int argc, char **argv)
{
    struct asking ask = {.sandbox = true, .out = buf_new(OUT_BYTES_MAX)};
    struct setup_options chosen = {0};
    struct err err = {0};
    int rc;
    int first;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            ask.json = true;
        else if (strcmp(argv[i], "--help") == 0) {
            (void)fputs(usage, stdout);
            return EXIT_DONE;
        }
    if (argc > 1 && strcmp(argv[argc - 1], "--json") == 0)
        argc--;
    first = options(argc, argv, &ask, &chosen, &err);
    rc = first < 0 ? first : setup_open(&ask.setup, &chosen, &err);
    if (rc == 0) {
        ask.world = setup_world(&ask.setup);
        rc = run(&ask, argc, argv, first, &err);
    }
    buf_free(&ask.out);
    setup_close(&ask.setup);
    if (rc != 0)
        return setup_fail(&err);
    return ask.bad > 0 ? EXIT_REJECTED : EXIT_DONE;
}
