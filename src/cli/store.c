/* comity store: is the node's store whole, what is in it, and how does it come out? */
#include "base/time.h"
#include "cli/cli.h"
#include "cli/group.h"
#include "cli/home.h"
#include "cli/setup.h"
#include "cli/store_export.h"
#include "fmt/json.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPENED = 1, FAULTS_SHOWN = 100, JSON_TEXT_BYTES = 64 * 1024 };

static const char help[] =
    "comity store: look after the node's store, also while the node runs\n\n"
    "usage: comity store info   [--json] [--home FOLDER]\n"
    "       comity store check  [--json] [--home FOLDER]\n"
    "       comity store backup [--json] [--home FOLDER] FILE\n"
    "       comity store export [--home FOLDER] [--from TIME] [--to TIME] [--out FILE]\n\n"
    "info    how much is in it, since when, and what is on its way\n"
    "check   reads everything: pages, chunks, filters, and whether they fit together; tells each\n"
    "        fault. Exit status 1 if there are any\n"
    "backup  a copy as of one moment in FILE, which must not be there; durable when it returns.\n"
    "        To use it: stop the node, remove node.db-wal and node.db-shm, put it in place of\n"
    "        node.db\n"
    "export  the reports that were received from --from on and before --to (RFC 3339; without\n"
    "        them all), one a line in IntelMQ's format, oldest first, to standard output or "
    "--out.\n"
    "        They are as they came in, unredacted: for your own eyes and your own tools\n\n"
    "The store is FOLDER/node.db; FOLDER is --home, else $COMITY_HOME, else /var/lib/comity for\n"
    "root, else $XDG_DATA_HOME/comity, else ~/.local/share/comity. Nothing is changed in it.\n";

enum { INFO, CHECK, BACKUP, EXPORT, COMMANDS };
static const char *const commands[COMMANDS] = {
    [INFO] = "info", [CHECK] = "check", [BACKUP] = "backup", [EXPORT] = "export"};

struct order {
    const char *what;
    int command;
    const char *home;
    const char *from;
    const char *to;
    int64_t from_us;
    int64_t to_us;
    const char *out;
    const char *file;
    bool json;
};

/* ---- progress: from the second second on, four times a second ---- */

struct progress {
    const char *what;
    int64_t started_us;
    int64_t shown_us;
    uint64_t faults;
    bool json;
};

static void
show(void *ctx, uint64_t done, uint64_t total)
{
    struct progress *progress = ctx;
    int64_t now_us = clock_ticks_us();

    if (now_us - progress->started_us < 1000000 || now_us - progress->shown_us < 250000
        || isatty(STDERR_FILENO) != 1)
        return;
    progress->shown_us = now_us;
    (void)fprintf(stderr, "\r\033[K%s %3u %%", progress->what,
        (unsigned)(total == 0 ? 0 : 100 * done / total));
}

static void
show_end(const struct progress *progress)
{
    if (progress->shown_us != 0)
        (void)fputs("\r\033[K", stderr);
}

static struct progress
progress_of(const char *what, bool json)
{
    return (struct progress){.what = what, .started_us = clock_ticks_us(), .json = json};
}

/* ---- info ---- */

static void
print_time(const char *name, int64_t us, bool json)
{
    char text[TIME_TEXT_BYTES];
    size_t n = us == 0 ? 0 : time_format(us, "Z", text);

    if (json && n == 0)
        (void)printf(",\"%s\":null", name);
    else if (json)
        (void)printf(",\"%s\":\"%.*s\"", name, (int)n, text);
    else
        (void)printf("%-12s %.*s\n", name, (int)(n == 0 ? 1 : n), n == 0 ? "-" : text);
}

static int
info(struct store *store, const struct order *order, struct err *err)
{
    struct store_info about;
    int rc = store_info(store, &about, err);

    if (rc != 0)
        return rc;
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {{"reports", about.reports}, {"batches", about.batches}, {"due", about.due},
        {"held", about.held}, {"collections", about.collections}, {"objects", about.objects},
        {"principals", about.principals}, {"file_bytes", about.file_bytes},
        {"free_bytes", about.free_bytes}, {"log_bytes", about.log_bytes}};
    (void)printf(order->json ? "{\"version\":%d" : "version      %d\n", about.version);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        (void)printf(
            order->json ? ",\"%s\":%" PRId64 : "%-12s %" PRId64 "\n", rows[i].name, rows[i].value);
    print_time("oldest", about.oldest_us, order->json);
    print_time("newest", about.newest_us, order->json);
    if (order->json)
        (void)puts("}");
    return 0;
}

/* ---- check ---- */

static void
print_text(const char *text)
{
    struct buf json = buf_new(JSON_TEXT_BYTES);

    json_add_string(&json, span_of(text));
    (void)fwrite(json.p, 1, json.n, stdout);
    buf_free(&json);
}

static void
tell_fault(void *ctx, const char *what)
{
    struct progress *progress = ctx;

    if (progress->faults++ >= FAULTS_SHOWN)
        return;
    if (!progress->json) {
        show_end(progress);
        (void)puts(what);
        return;
    }
    if (progress->faults > 1)
        (void)putchar(',');
    print_text(what);
}

static int
check(struct store *store, const struct order *order, int *status, struct err *err)
{
    struct progress progress = progress_of("checking", order->json);
    uint64_t faults = 0;

    if (order->json)
        (void)fputs("{\"told\":[", stdout);
    int rc = store_check(store, tell_fault, &progress, show, &faults, err);
    show_end(&progress);
    if (order->json)
        (void)printf(
            "],\"faults\":%" PRIu64 ",\"complete\":%s}\n", faults, rc == 0 ? "true" : "false");
    else if (rc == 0 && faults > FAULTS_SHOWN)
        (void)printf("and %" PRIu64 " more faults\n", faults - FAULTS_SHOWN);
    else if (rc == 0 && faults == 0)
        (void)puts("The store is whole.");
    *status = faults == 0 ? EXIT_DONE : EXIT_REJECTED;
    return rc;
}

/* ---- backup ---- */

static int
backup(struct store *store, const struct order *order, struct err *err)
{
    struct progress progress = progress_of("copying", order->json);
    int rc = store_backup(store, order->file, show, &progress, err);

    show_end(&progress);
    if (rc != 0)
        return rc;
    if (!order->json) {
        (void)printf("The copy is in %s.\n", order->file);
        return 0;
    }
    (void)fputs("{\"file\":", stdout);
    print_text(order->file);
    (void)puts("}");
    return 0;
}

/* ---- export ---- */

static int export(struct store *store, const struct order *order, struct err *err)
{
    struct progress progress = progress_of("exporting", false);
    int rc = store_export(store, order->from_us, order->to_us, order->out, show, &progress, err);

    show_end(&progress);
    return rc;
}

/* ---- the command ---- */

static int
option(struct order *order, int argc, char **argv, int *i, struct err *err)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {
        {"home", &order->home}, {"from", &order->from}, {"to", &order->to}, {"out", &order->out}};

    for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
        int rc = setup_option(argc, argv, i, options[o].name, options[o].value, err);
        if (rc != 0)
            return rc;
    }
    if (strcmp(argv[*i], "--json") != 0)
        return 0;
    order->json = true;
    return OPENED;
}

static int
wrong(struct err *err, const char *what)
{
    return err_set(err, ERR_USAGE, "store: %s; `comity store --help` says more", what);
}

static int
read_order(struct order *order, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = option(order, argc, argv, &i, err);
        if (rc < 0)
            return rc;
        if (rc == OPENED)
            continue;
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            return err_set(err, ERR_USAGE,
                "store: no option \"%s\"; `comity store --help` says more", argv[i]);
        if (order->what == NULL)
            order->what = argv[i];
        else if (order->file == NULL)
            order->file = argv[i];
        else
            return wrong(err, "too many arguments");
    }
    order->command = group_find("store", commands, COMMANDS, order->what, err);
    if (order->command < 0)
        return order->command;
    bool backup = order->command == BACKUP;
    bool exported = order->command == EXPORT;
    if (backup != (order->file != NULL))
        return wrong(err, backup ? "backup wants a FILE" : "only backup takes a FILE");
    if (!exported && (order->from != NULL || order->to != NULL || order->out != NULL))
        return wrong(err, "--from, --to and --out are export's");
    if (exported && order->json)
        return wrong(err, "export writes JSON lines as it is");
    int rc = setup_time("from", order->from, &order->from_us, err);
    return rc == 0 ? setup_time("to", order->to, &order->to_us, err) : rc;
}

static int
obey(const struct order *order, struct store *store, int *status, struct err *err)
{
    switch (order->command) {
    case INFO:
        return info(store, order, err);
    case CHECK:
        return check(store, order, status, err);
    case BACKUP:
        return backup(store, order, err);
    default:
        return export(store, order, err);
    }
}

int
cli_store(int argc, char **argv)
{
    char folder[SETUP_PATH_BYTES];
    struct order order = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    struct store *store = NULL;
    struct err err = {0};
    int status = EXIT_DONE;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    int rc = read_order(&order, argc, argv, &err);
    if (rc == 0)
        rc = home_path(order.home, folder, &err);
    if (rc == 0)
        rc = store_open(folder, STORE_READ, &store, &err);
    if (rc == 0)
        rc = obey(&order, store, &status, &err);
    store_close(store);
    return rc == 0 ? status : setup_fail(&err);
}
