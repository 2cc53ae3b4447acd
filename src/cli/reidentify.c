/* comity reidentify: which value does a recipient mean by this pseudonym? */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/home.h"
#include "cli/secretfile.h"
#include "cli/shown.h"
#include "cli/walls.h"
#include "fmt/format.h"
#include "fmt/json.h"
#include "fmt/shadowschema.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 << 20, WANTED_MAX = 256, LINE_BYTES = 1 << 16 };

/* One pseudonym that is asked about. */
struct wanted {
    struct span text;
    bool is_address;
    struct address address; /* what it was */
    char hex[PSEUDONYM_HEX + 1];
    uint8_t classes; /* bits: in which form it stands */
    struct span value;
    enum field_class class;
};

struct reidentify {
    const char *agreement;
    const char *to;
    const char *home;
    const char *secret;
    struct reader_options reader;
    char share_dir[SETUP_PATH_BYTES];
    struct shadowschema *schema;
    struct arena *arena;
    struct pseudonyms *pseudonyms;
    const struct pseudonym_key *key;
    const char **words; /* as the command line has them */
    size_t word_count;
    const char **in;
    size_t in_count;
    const char **files;
    size_t file_count;
    const char *file; /* being read */
    struct wanted wanted[WANTED_MAX];
    size_t count;
    size_t found;
    uint64_t reports;
    uint64_t failed_files;
    bool json;
    bool sandbox;
};

static const char help[] =
    "comity reidentify: turn a pseudonym that a recipient names back into the value\n\n"
    "usage: comity reidentify --agreement ID --to TEAM [OPTIONS] PSEUDONYM...\n\n"
    "  --agreement ID   id of the agreement under which the report was told: of the clause that\n"
    "                   `explain` lists first\n"
    "  --to TEAM        id of the recipient who names the pseudonym\n"
    "  --in PATH        reports as they were received, file or folder (repeatable): names, URLs,\n"
    "                   accounts and devices are looked for there; addresses need none\n"
    "  --secret FILE    the secret of the pseudonyms (default: the node's)\n"
    "  --home FOLDER    the node's home, where each question is written down\n"
    "  --json           one object a line: pseudonym, value (null: not found), class\n"
    "  --no-sandbox     work even where the kernel has no sandbox\n\n"
    "A pseudonym of an address is decrypted: any address has an answer, also one that was never\n"
    "given out.\n"
    "One of anything else cannot be; it is made again from each value in PATH, and found if that\n"
    "gives the same.\n"
    "Each question is kept in reidentified.jsonl in the node's home: when, for whom, what was "
    "asked,\n"
    "not the answer.\n"
    "Exit status 1 if one was not found.\n";

/* ---- what is asked ---- */

static bool
is_hex(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] < '0' || text.p[i] > '9') && (text.p[i] < 'a' || text.p[i] > 'f'))
            return false;
    return text.n == PSEUDONYM_HEX;
}

static int
understand(struct wanted *w, const char *word, struct err *err)
{
    struct span text = span_of(word);
    struct span hex = text;
    struct span invalid = SPAN(".invalid");
    struct span scheme = SPAN("https://");

    *w = (struct wanted){
        .text = text, .classes = 1u << FIELD_CLASS_ACCOUNT | 1u << FIELD_CLASS_DEVICE};
    if (prefix_parse(text, &w->address, NULL) == 0) {
        w->is_address = true;
        return 0;
    }
    if (span_starts(text, scheme)) {
        w->classes = 1u << FIELD_CLASS_URL;
        hex = (struct span){text.p + scheme.n, text.n - scheme.n};
        if (hex.n > 0 && hex.p[hex.n - 1] == '/')
            hex.n--;
    }
    if (hex.n == PSEUDONYM_HEX + invalid.n
        && memcmp(hex.p + PSEUDONYM_HEX, invalid.p, invalid.n) == 0) {
        hex.n = PSEUDONYM_HEX;
        if (hex.p == text.p)
            w->classes = 1u << FIELD_CLASS_NAME;
    } else if (hex.p != text.p) {
        hex.n = 0;
    }
    if (!is_hex(hex))
        return err_set(err, ERR_USAGE,
            "\"%s\" is no pseudonym: an address, 32 hexadecimal digits (with .invalid behind for a "
            "name), or https://, these and .invalid/ is",
            word);
    memcpy(w->hex, hex.p, PSEUDONYM_HEX);
    return 0;
}

static int
understand_all(struct reidentify *r, struct err *err)
{
    int rc = 0;

    if (r->agreement == NULL || r->to == NULL || r->word_count == 0)
        return err_set(err, ERR_USAGE,
            "reidentify: --agreement, --to and a pseudonym are needed; `comity reidentify --help` "
            "says more");
    if (r->word_count > WANTED_MAX)
        return err_set(err, ERR_USAGE, "at most %d pseudonyms at once", WANTED_MAX);
    for (size_t i = 0; rc == 0 && i < r->word_count; i++) {
        struct wanted *w = &r->wanted[r->count++];
        rc = understand(w, r->words[i], err);
        if (rc == 0 && !w->is_address && r->in_count == 0)
            rc = err_set(err, ERR_USAGE,
                "\"%s\" cannot be turned back, only found again: name the reports with --in",
                r->words[i]);
    }
    return rc;
}

/* ---- the record of questions ---- */

static void
add_member(struct buf *out, const char *key, struct span text)
{
    buf_format(out, ",\"%s\":", key);
    json_add_string(out, text);
}

static int
append(const char *path, struct buf *line, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = 0;

    if (fd < 0 || write(fd, line->p, line->n) != (ssize_t)line->n || fsync(fd) != 0)
        rc = err_set(err, ERR_IO, "the question cannot be written to %s: %s; nothing is answered",
            path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* Before anything is answered. */
static int
record(const struct reidentify *r, struct err *err)
{
    char home[SETUP_PATH_BYTES];
    char path[SETUP_PATH_BYTES + 32];
    char now[TIME_TEXT_BYTES];
    struct buf line = buf_new(LINE_BYTES);
    int rc = home_path(r->home, home, err);

    if (rc == 0)
        rc = file_folder(home, err);
    (void)time_format(clock_now_us(), "Z", now);
    buf_format(&line, "{\"time\":\"%s\",\"user\":%u", now, (unsigned)getuid());
    add_member(&line, "agreement", span_of(r->agreement));
    add_member(&line, "to", span_of(r->to));
    buf_add_text(&line, ",\"pseudonyms\":[");
    for (size_t i = 0; i < r->count; i++) {
        buf_add_text(&line, i > 0 ? "," : "");
        json_add_string(&line, r->wanted[i].text);
    }
    buf_add_text(&line, "]}\n");
    if (rc == 0)
        rc = buf_check(&line, "the question", err);
    if (rc == 0) {
        (void)snprintf(path, sizeof path, "%s/reidentified.jsonl", home);
        rc = append(path, &line, err);
    }
    buf_free(&line);
    return rc;
}

/* ---- looking for what cannot be turned back ---- */

static int
try_value(struct reidentify *r, enum field_class class, struct span value, struct err *err)
{
    char hex[PSEUDONYM_HEX + 1];

    pseudonym_hex(r->key, class, value, hex);
    for (size_t i = 0; i < r->count; i++) {
        struct wanted *w = &r->wanted[i];
        if (w->is_address || w->value.p != NULL || (w->classes >> class & 1u) == 0
            || memcmp(w->hex, hex, PSEUDONYM_HEX) != 0)
            continue;
        const char *copy = arena_copy(r->arena, value.p, value.n);
        if (copy == NULL)
            return arena_full(err, "the values found");
        w->value = (struct span){copy, value.n};
        w->class = class;
        r->found++;
    }
    return 0;
}

static int
try_field(struct reidentify *r, const struct field *field, struct err *err)
{
    struct span value = {field->s, field->n};
    char room[PSEUDONYM_NAME_MOST];
    int rc = 0;

    if (field->type != VALUE_TEXT)
        return 0;
    for (unsigned c = 0; rc == 0 && c < FIELD_CLASS_COUNT; c++) {
        if (c == FIELD_CLASS_NAME)
            continue;
        bool asked = false;
        for (size_t i = 0; i < r->count; i++)
            asked = asked || (r->wanted[i].classes >> c & 1u) != 0;
        if (asked)
            rc = try_value(r, (enum field_class)c, value, err);
    }
    value = pseudonym_plain_name(value, room);
    return rc == 0 && value.p != NULL ? try_value(r, FIELD_CLASS_NAME, value, err) : rc;
}

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct reidentify *r = ctx;
    int rc = 0;

    r->reports++;
    for (uint32_t i = 0; rc == 0 && r->found < r->count && i < report->count; i++)
        rc = try_field(r, &report->fields[i], err);
    return rc;
}

static int
on_reject(void *ctx, const struct err *why, struct span text, struct err *err)
{
    const struct reidentify *r = ctx;

    (void)text;
    (void)err;
    (void)fprintf(stderr, "%s:%llu: %s%s%s\n", r->file, (unsigned long long)why->line, why->field,
        why->field[0] == '\0' ? "" : ": ", why->msg);
    return 0;
}

static int
read_file(struct reidentify *r, const char *path, struct err *err)
{
    const struct reader_sink sink = {.ctx = r, .report = on_report, .reject = on_reject};
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct input *input = NULL;
    struct err why = {0};
    int rc = 0;

    r->file = path;
    if (fd < 0)
        rc = err_set(&why, ERR_NOT_FOUND, "it cannot be opened: %s", strerror(errno));
    if (rc == 0)
        rc = input_open_fd(fd, standard ? "standard input" : path, &input, &why);
    if (rc == 0)
        rc = format_read(input, FORMAT_UNKNOWN, &r->reader, &sink, &why);
    input_close(input);
    if (fd >= 0 && !standard)
        (void)close(fd);
    if (rc == 0)
        return 0;
    if (!err_is_senders(why.code) && why.code != ERR_NOT_FOUND) {
        *err = why;
        return why.code;
    }
    r->failed_files++;
    (void)fprintf(stderr, "comity: %s: %s: %s\n", path, err_word(why.code), why.msg);
    return 0;
}

static int
search(struct reidentify *r, struct err *err)
{
    struct walls walls = {.wanted = r->sandbox, .share_dir = r->share_dir};
    uint64_t bytes;
    int rc;

    if (r->in_count == 0)
        return 0;
    rc = setup_share_dir(r->share_dir, err);
    if (rc == 0)
        rc = files_expand(r->arena, r->in, r->in_count, &r->files, &r->file_count, &bytes, err);
    r->reader.share_dir = r->share_dir;
    r->reader.schema = &r->schema;
    walls.files = r->files;
    walls.file_count = r->file_count;
    if (rc == 0)
        rc = walls_enter(&walls, err);
    for (size_t i = 0; rc == 0 && i < r->file_count && r->found < r->count; i++)
        rc = read_file(r, r->files[i], err);
    return rc;
}

/* ---- answers ---- */

static int
turn_back(struct reidentify *r, struct err *err)
{
    for (size_t i = 0; i < r->count; i++) {
        struct wanted *w = &r->wanted[i];
        if (!w->is_address)
            continue;
        struct address was = pseudonym_address_back(r->key, &w->address);
        char *text = arena_alloc(r->arena, ADDRESS_TEXT_BYTES);
        if (text == NULL)
            return arena_full(err, "the addresses");
        w->value = (struct span){text, address_format(&was, text)};
        w->class = FIELD_CLASS_ADDRESS;
        r->found++;
    }
    return 0;
}

static void
add_answer(const struct reidentify *r, const struct wanted *w, struct buf *out)
{
    bool found = w->value.p != NULL;

    if (!r->json) {
        buf_add_span(out, w->text);
        buf_add_text(out, found ? "  " : "  not found in these reports");
        shown_add(out, w->value, LINE_BYTES);
        buf_add_char(out, '\n');
        return;
    }
    buf_add_text(out, "{\"pseudonym\":");
    json_add_string(out, w->text);
    buf_add_text(out, ",\"value\":");
    if (found)
        json_add_string(out, w->value);
    else
        buf_add_text(out, "null");
    buf_format(out, ",\"class\":%s%s%s}\n", found ? "\"" : "",
        found ? field_class_word(w->class) : "null", found ? "\"" : "");
}

static int
answer(const struct reidentify *r, struct err *err)
{
    struct buf out = buf_new(16 << 20);

    for (size_t i = 0; i < r->count; i++)
        add_answer(r, &r->wanted[i], &out);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

static int
open_key(struct reidentify *r, struct err *err)
{
    char path[SETUP_PATH_BYTES];
    bool is_there;
    int rc = secret_path(r->secret, r->home, path, &is_there, err);

    if (rc == 0 && !is_there)
        rc = err_set(err, ERR_NOT_FOUND,
            "this node has no secret, so it has given out no pseudonyms (--secret FILE names one "
            "elsewhere)");
    if (rc == 0)
        rc = secretfile_open(path, &r->pseudonyms, err);
    if (rc == 0)
        r->key = pseudonyms_key(r->pseudonyms, span_of(r->agreement), span_of(r->to));
    return rc;
}

/* ---- options ---- */

static int
take_option(struct reidentify *r, int argc, char **argv, int *i, struct err *err)
{
    const struct {
        const char *name;
        const char **to;
    } options[] = {{"agreement", &r->agreement}, {"to", &r->to}, {"home", &r->home},
        {"secret", &r->secret}, {"in", &r->in[r->in_count]}};
    const size_t count = sizeof options / sizeof options[0];

    if (strcmp(argv[*i], "--json") == 0) {
        r->json = true;
        return 0;
    }
    if (strcmp(argv[*i], "--no-sandbox") == 0) {
        r->sandbox = false;
        return 0;
    }
    for (size_t k = 0; k < count; k++) {
        int rc = setup_option(argc, argv, i, options[k].name, options[k].to, err);
        if (rc == 0)
            continue;
        r->in_count += rc > 0 && k == count - 1;
        return rc < 0 ? rc : 0;
    }
    return err_set(
        err, ERR_USAGE, "no option \"%s\"; `comity reidentify --help` lists them", argv[*i]);
}

static int
run(struct reidentify *r, int argc, char **argv, struct err *err)
{
    int rc = 0;

    for (int i = 1; rc == 0 && i < argc; i++) {
        if (argv[i][0] == '-')
            rc = take_option(r, argc, argv, &i, err);
        else
            r->words[r->word_count++] = argv[i];
    }
    if (rc == 0)
        rc = understand_all(r, err);
    if (rc == 0)
        rc = open_key(r, err);
    if (rc == 0)
        rc = record(r, err);
    if (rc == 0)
        rc = turn_back(r, err);
    if (rc == 0)
        rc = search(r, err);
    return rc == 0 ? answer(r, err) : rc;
}

int
cli_reidentify(int argc, char **argv)
{
    struct reidentify r = {.sandbox = true, .arena = arena_new(ARENA_BYTES)};
    struct err err = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        arena_free(r.arena);
        return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    }
    r.words = calloc((size_t)argc, sizeof *r.words);
    r.in = calloc((size_t)argc, sizeof *r.in);
    int rc = r.arena == NULL || r.words == NULL || r.in == NULL
        ? err_set(&err, ERR_NO_MEMORY, "no memory to begin")
        : run(&r, argc, argv, &err);
    int status = rc != 0                          ? setup_fail(&err)
        : r.found < r.count || r.failed_files > 0 ? EXIT_REJECTED
                                                  : EXIT_DONE;
    pseudonyms_free(r.pseudonyms);
    shadowschema_free(r.schema);
    arena_free(r.arena);
    free(r.words);
    free(r.in);
    return status;
}
