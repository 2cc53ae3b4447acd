#include "cli/cli.h"
#include "cli/setup.h"
#include "cli/team.h"
#include "cli/team_draft.h"
#include "cli/walls.h"
#include "fmt/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024 * 1024, CSV_COLUMNS = 64 };

static struct span
text_at(struct json_value v, const char *name)
{
    struct json_value item;
    struct json_value first;
    struct json_iter it;
    struct span key;

    if (!json_get(v, name, &item))
        return (struct span){"", 0};
    if (json_type(item) == JSON_ARRAY) { /* FIRST gives some members as lists */
        it = json_iter(item);
        if (!json_next(&it, &key, &first))
            return (struct span){"", 0};
        item = first;
    }
    return json_type(item) == JSON_STRING ? span_trim(json_string(item)) : (struct span){"", 0};
}

/* https://api.first.org/data/v1/teams: members team, team-full, country, website ... */
static int
import_first(struct team_importing *im, struct json_value v, struct err *err)
{
    struct team_draft d = team_draft_new();
    struct json_value other;
    struct json_value item;
    struct json_iter it;
    struct span key;

    d.name = text_at(v, "team");
    d.full_name = text_at(v, "team-full");
    team_draft_economy(&d, text_at(v, "country"));
    if (json_get(v, "country-other", &other) && json_type(other) == JSON_ARRAY)
        for (it = json_iter(other); json_next(&it, &key, &item);)
            if (json_type(item) == JSON_STRING)
                team_draft_economy(&d, json_string(item));
    d.site = text_at(v, "website");
    d.mail = text_at(v, "email");
    d.fingerprint = text_at(v, "pgp-fingerprint");
    d.hours = text_at(v, "operating-hours");
    d.timezone = text_at(v, "timezone");
    d.established = text_at(v, "establishment");
    d.membership = text_at(v, "membership").n > 0 ? SPAN("FIRST") : (struct span){"", 0};
    team_draft_id(&d, (struct span){"", 0}, text_at(v, "id").n > 0 ? text_at(v, "id") : d.name);
    return team_draft_settle(im, &d, err);
}

static const struct {
    const char *type;
    const char *kind;
} ti_types[] = {{"National", "national"}, {"Government", "government"},
    {"Research & Education", "research"}, {"Financial Sector", "finance"},
    {"Energy Sector", "energy"}, {"Health Sector", "health"}, {"Military", "military"},
    {"ISP Customer Base", "isp"}, {"Service Provider Customer Base", "service-provider"},
    {"Vendor Customer Base", "vendor"}, {"Commercial Organisation", "commercial"},
    {"CIIP", "sector"}, {"Non-Commercial Organisation", "ngo"}};

static const char *
ti_kind(struct json_value constituency)
{
    struct json_value types;
    struct json_value item;
    struct span key;

    if (!json_get(constituency, "types", &types) || json_type(types) != JSON_ARRAY)
        return "other";
    for (size_t i = 0; i < sizeof ti_types / sizeof ti_types[0]; i++)
        for (struct json_iter it = json_iter(types); json_next(&it, &key, &item);)
            if (json_type(item) == JSON_STRING
                && span_equal_nocase(json_string(item), span_of(ti_types[i].type)))
                return ti_types[i].kind;
    return "other";
}

static void
ti_constituency(struct team_importing *im, struct json_value c, struct team_draft *d)
{
    struct json_value list;
    struct json_value item;
    struct json_iter it;
    struct span key;

    if (json_get(c, "countries", &list) && json_type(list) == JSON_ARRAY)
        for (it = json_iter(list); json_next(&it, &key, &item);)
            team_draft_economy(d, text_at(item, "code"));
    if (json_get(c, "asns", &list) && json_type(list) == JSON_ARRAY)
        for (it = json_iter(list); json_next(&it, &key, &item);)
            team_draft_asn(im, d,
                json_type(item) == JSON_INT && json_int(item) > 0 ? (uint64_t)json_int(item) : 0);
    if (json_get(c, "ipranges", &list) && json_type(list) == JSON_ARRAY)
        for (it = json_iter(list); json_next(&it, &key, &item);)
            if (json_type(item) == JSON_STRING)
                team_draft_prefix(im, d, json_string(item));
    if (json_get(c, "domains", &list) && json_type(list) == JSON_ARRAY)
        for (it = json_iter(list); json_next(&it, &key, &item);)
            if (json_type(item) == JSON_STRING)
                team_draft_domain(im, d, json_string(item));
}

/* The first of V's list NAME: mail for contact, OpenPGP key. */
static struct span
ti_first(struct json_value v, const char *name, const char *inner)
{
    struct json_value list;
    struct json_value item;
    struct json_iter it;
    struct span key;

    if (!json_get(v, name, &list) || json_type(list) != JSON_ARRAY)
        return (struct span){"", 0};
    it = json_iter(list);
    return json_next(&it, &key, &item) ? text_at(item, inner) : (struct span){"", 0};
}

/* https://www.trusted-introducer.org/directory/teams.json */
static int
import_ti(struct team_importing *im, struct json_value v, struct err *err)
{
    struct team_draft d = team_draft_new();
    struct json_value inner;
    struct span economy = {"", 0};

    d.name = text_at(v, "short_name");
    d.full_name = text_at(v, "official_name");
    if (json_get(v, "country", &inner))
        economy = text_at(inner, "code");
    team_draft_id(&d, economy, d.name);
    if (json_get(v, "constituency", &inner)) {
        d.kind = ti_kind(inner);
        ti_constituency(im, inner, &d);
    }
    if (d.economy_count == 0)
        team_draft_economy(&d, economy);
    d.mail = ti_first(v, "emails", "address");
    d.fingerprint = ti_first(v, "pgp_keys", "fingerprint");
    d.hours = text_at(v, "business_hours");
    d.timezone = text_at(v, "business_hours_timezone");
    d.established = text_at(v, "established");
    d.membership = SPAN("Trusted Introducer");
    return team_draft_settle(im, &d, err);
}

static int
import_json(struct team_importing *im, struct span text, struct err *err)
{
    bool first = strcmp(im->from, "first") == 0;
    struct json_value root;
    struct json_value item;
    struct span key;
    int rc = json_parse_copy(im->json, text, &root, err);

    if (rc == 0 && first && !json_get(root, "data", &root))
        return err_set(err, ERR_BAD_CONFIG,
            "%s has no \"data\"; FIRST's API answers {\"status\":..,\"data\":[..]}", im->file);
    if (rc == 0 && json_type(root) != JSON_ARRAY)
        return err_set(err, ERR_BAD_CONFIG, "%s holds no array of teams", im->file);
    if (rc != 0)
        return rc;
    for (struct json_iter it = json_iter(root); rc == 0 && json_next(&it, &key, &item);) {
        im->item++;
        rc = first ? import_first(im, item, err) : import_ti(im, item, err);
    }
    return rc;
}

/* Cells of one CSV line, unquoted in place; returns their number. */
static size_t
cells_of(char *line, size_t n, struct span cells[CSV_COLUMNS])
{
    size_t count = 0;
    size_t from = 0;

    while (count < CSV_COLUMNS) {
        size_t to = from;
        char *begin = line + from;
        if (from < n && line[from] == '"') {
            for (from++; from < n && (line[from] != '"' || (from + 1 < n && line[from + 1] == '"'));
                 from++) {
                from += line[from] == '"';
                line[to++] = line[from];
            }
            from++;
        } else
            for (; from < n && line[from] != ','; from++)
                line[to++] = line[from];
        cells[count++] = span_trim((struct span){begin, (size_t)(line + to - begin)});
        if (from >= n)
            break;
        from++;
    }
    return count;
}

enum {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_FULL_NAME,
    COLUMN_ECONOMY,
    COLUMN_KIND,
    COLUMN_EMAIL,
    COLUMN_URL,
    COLUMN_ASNS,
    COLUMN_NETS,
    COLUMN_DOMAINS,
    COLUMN_ESTABLISHED,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {"id", "name", "full_name", "economy", "kind",
    "email", "url", "asns", "nets", "domains", "established"};

static int
import_row(struct team_importing *im, const struct span cells[COLUMNS], struct err *err)
{
    struct team_draft d = team_draft_new();
    struct span rest;
    struct span part;
    uint64_t asn;

    d.name = cells[COLUMN_NAME];
    d.full_name = cells[COLUMN_FULL_NAME];
    d.site = cells[COLUMN_URL];
    d.mail = cells[COLUMN_EMAIL];
    d.established = cells[COLUMN_ESTABLISHED];
    team_draft_id(&d, cells[COLUMN_ID].n > 0 ? (struct span){"", 0} : cells[COLUMN_ECONOMY],
        cells[COLUMN_ID].n > 0 ? cells[COLUMN_ID] : d.name);
    team_draft_kind(im, &d, cells[COLUMN_KIND]);
    for (rest = cells[COLUMN_ECONOMY]; span_next(&rest, ' ', &part);)
        team_draft_economy(&d, part);
    for (rest = cells[COLUMN_ASNS]; span_next(&rest, ' ', &part);)
        team_draft_asn(im, &d, span_u64(part, &asn) ? asn : 0);
    for (rest = cells[COLUMN_NETS]; span_next(&rest, ' ', &part);)
        team_draft_prefix(im, &d, part);
    for (rest = cells[COLUMN_DOMAINS]; span_next(&rest, ' ', &part);)
        team_draft_domain(im, &d, part);
    return team_draft_settle(im, &d, err);
}

static int
find_columns(struct team_importing *im, const struct span *cells, size_t count, size_t at[COLUMNS],
    struct err *err)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        at[c] = CSV_COLUMNS;
        for (size_t i = 0; i < count; i++)
            if (span_equal(cells[i], span_of(column_names[c])))
                at[c] = i;
    }
    if (at[COLUMN_NAME] != CSV_COLUMNS && at[COLUMN_ECONOMY] != CSV_COLUMNS)
        return 0;
    return err_set(err, ERR_BAD_CONFIG,
        "%s: the first line must name the columns: name, economy and what is there of id, "
        "full_name, kind, "
        "email, url, asns, nets, domains, established",
        im->file);
}

static int
import_csv(struct team_importing *im, char *text, size_t n, struct err *err)
{
    struct span cells[CSV_COLUMNS];
    struct span row[COLUMNS];
    size_t at[COLUMNS];
    bool header = true;
    int rc = 0;

    for (size_t from = 0, to; rc == 0 && from < n; from = to + 1) {
        for (to = from; to < n && text[to] != '\n'; to++)
            ;
        size_t count = cells_of(text + from, to - from, cells);
        im->item++;
        if (to == from)
            continue;
        if (header) {
            rc = find_columns(im, cells, count, at, err);
            header = false;
            continue;
        }
        for (size_t c = 0; c < COLUMNS; c++)
            row[c] = at[c] < count ? cells[at[c]] : (struct span){"", 0};
        rc = import_row(im, row, err);
    }
    return rc;
}

static int
read_whole(int fd, const char *path, struct buf *text, struct err *err)
{
    struct input *input = NULL;
    struct span chunk;
    int rc = input_open_fd(fd, path, &input, err);

    while (rc == 0 && (rc = input_chunk(input, &chunk, err)) > 0) {
        buf_add_span(text, chunk);
        rc = buf_check(text, "the file of teams", err);
    }
    input_close(input);
    return rc;
}

static int
read_options(int argc, char **argv, struct team_importing *im, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = setup_option(argc, argv, &i, "from", &im->from, err);
        if (rc < 0)
            return rc;
        if (rc == 1)
            continue;
        if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
            im->folder = argv[++i];
        else if (strcmp(argv[i], "--force") == 0)
            im->force = true;
        else if (strcmp(argv[i], "--no-sandbox") == 0)
            im->sandbox = false;
        else if (argv[i][0] == '-' || im->file != NULL)
            return err_set(err, ERR_USAGE,
                "import takes --from, -o, --force, --no-sandbox and one file, not \"%s\"", argv[i]);
        else
            im->file = argv[i];
    }
    if (im->from == NULL
        || (strcmp(im->from, "first") != 0 && strcmp(im->from, "ti") != 0
            && strcmp(im->from, "csv") != 0))
        return err_set(err, ERR_USAGE, "import needs --from first, --from ti or --from csv");
    if (im->file == NULL || im->folder == NULL)
        return err_set(
            err, ERR_USAGE, "import needs a file to read and -o DIR, the folder for the cards");
    return 0;
}

/* Everything that is opened outside the walls: the file and the folder for the cards. */
static int
prepare(const struct team_importing *im, int *fd, struct err *err)
{
    const struct walls walls = {
        .wanted = im->sandbox, .write = (const char *const[]){im->folder}, .write_count = 1};

    *fd = open(im->file, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s: %s", im->file, strerror(errno));
    if (mkdir(im->folder, 0777) != 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "%s: %s", im->folder, strerror(errno));
    return walls_enter(&walls, err);
}

static int
import(struct team_importing *im, struct buf *text, struct err *err)
{
    int fd = -1;
    int rc = prepare(im, &fd, err);

    if (rc == 0)
        rc = read_whole(fd, im->file, text, err);
    if (fd >= 0)
        (void)close(fd);
    if (rc != 0)
        return rc;
    if (strcmp(im->from, "csv") == 0)
        return import_csv(im, text->p, text->n, err);
    return import_json(im, buf_span(text), err);
}

int
team_import(int argc, char **argv)
{
    struct team_importing im = {.sandbox = true,
        .card = buf_new(TEAM_CARD_BYTES_MAX),
        .json = json_new(FILE_BYTES_MAX),
        .again = json_new(TEAM_CARD_BYTES_MAX),
        .arena = arena_new((size_t)16 << 20)};
    struct buf text = buf_new(FILE_BYTES_MAX);
    struct err err = {0};
    int rc = 0;

    if (im.json == NULL || im.again == NULL || im.arena == NULL)
        rc = err_set(&err, ERR_NO_MEMORY, "no memory to import teams");
    if (rc == 0)
        rc = read_options(argc, argv, &im, &err);
    if (rc == 0)
        rc = import(&im, &text, &err);
    if (rc == 0)
        (void)printf("%zu cards written to %s, %zu left out; all UNVERIFIED. Check kind, scope and "
                     "channels of each, then set "
                     "\"verified\": true\n",
            im.made, im.folder, im.bad);
    buf_free(&text);
    buf_free(&im.card);
    json_free(im.json);
    json_free(im.again);
    arena_free(im.arena);
    if (rc != 0)
        return setup_fail(&err);
    return im.bad > 0 ? EXIT_REJECTED : EXIT_DONE;
}
