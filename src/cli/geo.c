#include "cli/cli.h"

#include "base/time.h"
#include "fmt/ranges.h"
#include "geo/geo.h"
#include "geo/geo_build.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SOURCES = RANGES_ASN + 1, SOURCE_TEXT_MAX = 4096, PROGRESS_ROWS = 4096 };

static const char *const names[SOURCES] = {
    [RANGES_IP4_ASN] = "ip4-asn",
    [RANGES_IP4_ECONOMY] = "ip4-economy",
    [RANGES_IP6_ASN] = "ip6-asn",
    [RANGES_IP6_ECONOMY] = "ip6-economy",
    [RANGES_ASN] = "asn",
};

struct order {
    char paths[SOURCES][PATH_MAX]; /* "": not given */
    const char *source;
    const char *out;
    double started_s;
    double shown_s;
};

static const char help[] =
    "comity geo: the address table, from which an address's prefix, ASN and economy are told\n\n"
    "usage: comity geo build --from FOLDER -o FILE [--source TEXT]\n"
    "       comity geo build [--ip4-asn FILE] [--ip4-economy FILE] [--ip6-asn FILE]\n"
    "                        [--ip6-economy FILE] [--asn FILE] -o FILE [--source TEXT]\n"
    "       comity geo show [--json] FILE\n\n"
    "build reads ranges from CSV (plain, .gz, .zst or .xz) and writes one table, whole or not at "
    "all:\n"
    "  ip4-asn, ip6-asn          start,end,asn       which network routes the range\n"
    "  ip4-economy, ip6-economy  start,end,economy   where the registry's holder sits\n"
    "  asn                       asn,economy,economy_share,ipv4_addresses,name\n"
    "Rows ascend and do not overlap; both ends are inclusive; IPv4 as a number or dotted.\n"
    "--from takes FOLDER/ip4-asn.csv, ... with or without .gz, .zst, .xz; all five must be there.\n"
    "--source says where the data come from, when, and under which licence; it is kept in the "
    "table\n"
    "(default: FOLDER/SOURCE if there is one). SOURCE_DATE_EPOCH sets the time of building.\n\n"
    "show checks a table whole and says what it holds.\n";

static int
fail(const char *path, const struct err *err)
{
    if (err->line != 0)
        (void)fprintf(stderr, "comity geo: %s:%llu: %s%s%s (%s)\n", path,
            (unsigned long long)err->line, err->field, err->field[0] == '\0' ? "" : ": ", err->msg,
            err_word(err->code));
    else
        (void)fprintf(stderr, "comity geo: %s%s%s (%s)\n", path, path[0] == '\0' ? "" : ": ",
            err->msg, err_word(err->code));
    return EXIT_FAILED;
}

static int
usage(const char *what)
{
    (void)fprintf(stderr, "comity geo: %s; `comity geo --help` says more\n", what);
    return EXIT_USAGE;
}

static double
now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A line on the terminal, from the second second on, four times a second. */
static void
show_progress(struct order *order, const char *what, uint64_t done, uint64_t all)
{
    double now = now_s();

    if (order->started_s == 0)
        order->started_s = now;
    if (now - order->started_s < 1 || now - order->shown_s < 0.25 || isatty(STDERR_FILENO) != 1)
        return;
    order->shown_s = now;
    (void)fprintf(stderr, "\r\033[K%s", what);
    if (all > 0)
        (void)fprintf(stderr, " %3u %%", (unsigned)(100 * done / all));
}

static int
add_row(struct geo_build *build, const struct ranges_row *row, struct err *err)
{
    if (row->first.family == 0)
        return geo_build_system(build, row->asn, row->economy, row->name, err);
    if (row->asn != 0)
        return geo_build_asn_range(build, &row->first, &row->last, row->asn, err);
    return geo_build_economy_range(build, &row->first, &row->last, row->economy, err);
}

static int
read_rows(struct order *order, struct geo_build *build, struct input *input, int kind,
    uint64_t bytes, struct err *err)
{
    struct ranges *ranges = NULL;
    struct ranges_row row;
    int rc = ranges_open(input, (enum ranges_kind)kind, &ranges, err);

    if (rc != 0)
        return rc;
    for (uint64_t n = 0; (rc = ranges_next(ranges, &row, err)) > 0; n++) {
        rc = add_row(build, &row, err);
        if (rc != 0) {
            err->line = ranges_line(ranges);
            break;
        }
        if (n % PROGRESS_ROWS == 0)
            show_progress(order, names[kind], input_bytes_read(input), bytes);
    }
    ranges_close(ranges);
    return rc;
}

static int
read_file(struct order *order, struct geo_build *build, int kind, struct err *err)
{
    const char *path = order->paths[kind];
    struct input *input = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(
            err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot be opened: %s", strerror(errno));
    uint64_t bytes = fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    int rc = input_open_fd(fd, path, &input, err);
    if (rc == 0)
        rc = read_rows(order, build, input, kind, bytes, err);
    input_close(input);
    (void)close(fd);
    return rc;
}

static uint64_t
time_of_building(void)
{
    const char *set = getenv("SOURCE_DATE_EPOCH");
    uint64_t at;

    if (set != NULL && span_u64(span_of(set), &at) && at < UINT32_MAX)
        return at;
    return (uint64_t)time(NULL);
}

static int
build_table(struct order *order)
{
    struct err err = {0};
    struct geo_build *build = geo_build_new();
    int status = EXIT_DONE;

    if (build == NULL)
        return fail("", &(struct err){.code = ERR_NO_MEMORY, .msg = "no memory to build a table"});
    for (int i = 0; status == EXIT_DONE && i < SOURCES; i++)
        if (order->paths[i][0] != '\0' && read_file(order, build, i, &err) != 0)
            status = fail(order->paths[i], &err);
    if (status == EXIT_DONE) {
        show_progress(order, "building", 0, 0);
        if (geo_build_write(build, span_of(order->source), time_of_building(), order->out, &err)
            != 0)
            status = fail("", &err);
    }
    if (order->shown_s > 0)
        (void)fputs("\r\033[K", stderr);
    geo_build_free(build);
    return status;
}

/* FOLDER/NAME.csv under any of its suffixes. */
static bool
find_file(const char *folder, const char *name, char path[static PATH_MAX])
{
    static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        int n = snprintf(path, PATH_MAX, "%s/%s.csv%s", folder, name, suffixes[i]);
        if (n > 0 && n < PATH_MAX && access(path, F_OK) == 0)
            return true;
    }
    path[0] = '\0';
    return false;
}

/* The text of FOLDER/SOURCE, "" if there is none. */
static void
read_source(const char *folder, char text[static SOURCE_TEXT_MAX])
{
    char path[PATH_MAX];
    size_t n = 0;

    int length = snprintf(path, sizeof path, "%s/SOURCE", folder);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
    if (file != NULL) {
        n = fread(text, 1, SOURCE_TEXT_MAX - 1, file);
        (void)fclose(file);
    }
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static int
take_folder(struct order *order, const char *folder)
{
    for (int i = 0; i < SOURCES; i++)
        if (!find_file(folder, names[i], order->paths[i])) {
            (void)fprintf(stderr,
                "comity geo: %s holds no %s.csv (nor .xz, .zst, .gz); it must hold all five\n",
                folder, names[i]);
            return EXIT_FAILED;
        }
    return EXIT_DONE;
}

static int
read_options(int argc, char **argv, struct order *order, const char **folder)
{
    static const struct option options[] = {{"ip4-asn", required_argument, NULL, RANGES_IP4_ASN},
        {"ip4-economy", required_argument, NULL, RANGES_IP4_ECONOMY},
        {"ip6-asn", required_argument, NULL, RANGES_IP6_ASN},
        {"ip6-economy", required_argument, NULL, RANGES_IP6_ECONOMY},
        {"asn", required_argument, NULL, RANGES_ASN}, {"from", required_argument, NULL, 'f'},
        {"source", required_argument, NULL, 's'}, {"out", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0}};
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        if (c == 'f')
            *folder = optarg;
        else if (c == 's')
            order->source = optarg;
        else if (c == 'o')
            order->out = optarg;
        else if (c >= SOURCES)
            return EXIT_USAGE;
        else if (strlen(optarg) < PATH_MAX)
            memcpy(order->paths[c], optarg, strlen(optarg) + 1);
        else
            return usage("a file's name is too long");
    }
    return optind == argc ? EXIT_DONE : usage("build takes no further arguments");
}

static int
run_build(int argc, char **argv)
{
    static struct order order;
    char text[SOURCE_TEXT_MAX] = "";
    const char *folder = NULL;
    bool any = false;

    int status = read_options(argc, argv, &order, &folder);
    if (status != EXIT_DONE)
        return status;
    for (int i = 0; i < SOURCES; i++)
        any = any || order.paths[i][0] != '\0';
    if (order.out == NULL)
        return usage("build needs -o FILE");
    if (any == (folder != NULL))
        return usage("build needs either --from FOLDER or files by kind");
    if (folder != NULL) {
        status = take_folder(&order, folder);
        read_source(folder, text);
    }
    if (order.source == NULL)
        order.source = text;
    return status == EXIT_DONE ? build_table(&order) : status;
}

static void
print_json_text(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\' || c < 0x20)
            (void)printf("\\u%04x", c);
        else
            (void)putchar(c);
    }
}

static void
print_table(const struct geo *geo, bool json)
{
    struct geo_counts n = geo_counts(geo);
    struct span sources = geo_sources(geo);
    char built[TIME_TEXT_BYTES] = "";

    (void)time_format(n.built_us, "Z", built);
    if (json) {
        (void)printf("{\"bytes\":%llu,\"built\":\"%s\",\"ip4_asn\":%llu,\"ip4_economy\":%llu,\"ip6_"
                     "asn\":%llu,"
                     "\"ip6_economy\":%llu,\"asns\":%llu,\"sources\":\"",
            (unsigned long long)n.bytes, built, (unsigned long long)n.ip4_asn_ranges,
            (unsigned long long)n.ip4_economy_ranges, (unsigned long long)n.ip6_asn_ranges,
            (unsigned long long)n.ip6_economy_ranges, (unsigned long long)n.asns);
        print_json_text(sources);
        (void)puts("\"}");
        return;
    }
    (void)printf(
        "bytes                %llu\nbuilt                %s\n", (unsigned long long)n.bytes, built);
    (void)printf("IPv4 ASN ranges      %llu\nIPv4 economy ranges  %llu\n",
        (unsigned long long)n.ip4_asn_ranges, (unsigned long long)n.ip4_economy_ranges);
    (void)printf("IPv6 ASN ranges      %llu\nIPv6 economy ranges  %llu\n",
        (unsigned long long)n.ip6_asn_ranges, (unsigned long long)n.ip6_economy_ranges);
    (void)printf("autonomous systems   %llu\n", (unsigned long long)n.asns);
    (void)printf(
        "sources              %.*s\n", sources.n > INT_MAX ? INT_MAX : (int)sources.n, sources.p);
}

static int
run_show(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct geo *geo = NULL;
    struct err err = {0};

    if (argc != 2 + json || argv[1 + json][0] == '-')
        return usage("show takes one table's file");
    if (geo_open(argv[1 + json], &geo, &err) != 0)
        return fail("", &err);
    print_table(geo, json);
    geo_close(geo);
    return EXIT_DONE;
}

int
cli_geo(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    if (argc > 1 && strcmp(argv[1], "build") == 0)
        return run_build(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return run_show(argc - 1, argv + 1);
    return usage(argc > 1 ? "its subcommands are build and show" : "build or show?");
}
