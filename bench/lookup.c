/* bench lookup: how fast is the address table beside libmaxminddb and a bare array read?
 *
 * The same ranges, the same addresses, in turns. Both must give the same ASN and economy.
 * Times are this thread's CPU time: other work on the machine does not count.
 */
#include "figure.h"
#include "fmt/ranges.h"
#include "geo/geo.h"
#include "geo/geo_build.h"
#include "mmdb.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_MAXMINDDB
#include <maxminddb.h>
#endif

enum {
    ROUNDS = 5,
    PER_ROUND = 2 * 1000 * 1000, /* 10 M addresses in all */
    BATCH = 1024,
    CLUSTERS = 4096, /* networks that the clustered addresses come from */
    REACH_RATIO = 20,
    REACH_BYTES = 32 * 1024 * 1024,
    REACH_OPEN_MS = 50, /* of the 200 ms in which a whole node starts */
};

struct kind {
    struct mmdb_range *list;
    size_t count;
    size_t size;
};

struct bench {
    struct kind asns; /* IPv4 first, then IPv6: ascending */
    struct kind economies;
    size_t asns4;
    struct geo *geo;
    char table[64];
    char mmdb_path[64];
    uint64_t *array;
    size_t array_mask;
    uint64_t seed;
    struct figures figures;
#ifdef HAVE_MAXMINDDB
    MMDB_s mmdb;
#endif
};

struct work {
    int family;
    const uint32_t *ip4;
    const struct address *ip6;
    size_t count;
};

static _Noreturn void
die(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench lookup: %s: %s\n", what, why);
    exit(3);
}

static void *
need(void *p)
{
    if (p == NULL)
        die("memory", "there is none left");
    return p;
}

static double
cpu_s(void)
{
    return figure_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t
rnd(struct bench *bench)
{
    uint64_t z = bench->seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static mmdb_key
key_of(const struct address *a)
{
    return (mmdb_key)a->high << 64 | a->low;
}

static void
keep(struct kind *kind, const struct ranges_row *row)
{
    char code[3];

    if (kind->count == kind->size) {
        kind->size = kind->size * 2 + 4096;
        kind->list = need(realloc(kind->list, kind->size * sizeof *kind->list));
    }
    economy_code(row->economy, code);
    uint32_t value = row->asn != 0 ? row->asn : (uint32_t)code[0] << 8 | (uint32_t)code[1];
    kind->list[kind->count++] = (struct mmdb_range){key_of(&row->first), key_of(&row->last), value};
}

static int
take(struct bench *bench, struct geo_build *build, const struct ranges_row *row, struct err *err)
{
    if (row->first.family == 0)
        return geo_build_system(build, row->asn, row->economy, row->name, err);
    keep(row->asn != 0 ? &bench->asns : &bench->economies, row);
    return row->asn != 0
        ? geo_build_asn_range(build, &row->first, &row->last, row->asn, err)
        : geo_build_economy_range(build, &row->first, &row->last, row->economy, err);
}

static int
open_csv(const char *folder, const char *name, char *path, size_t size)
{
    static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(path, size, "%s/%s.csv%s", folder, name, suffixes[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    die(folder, "lacks ip4-asn.csv, ip4-economy.csv, ip6-asn.csv, ip6-economy.csv or asn.csv");
}

static void
read_csv(struct bench *bench, struct geo_build *build, const char *folder, const char *name,
    enum ranges_kind kind)
{
    char path[4096];
    struct err err = {0};
    struct input *input = NULL;
    struct ranges *ranges = NULL;
    struct ranges_row row;
    int fd = open_csv(folder, name, path, sizeof path);
    int rc = input_open_fd(fd, path, &input, &err);

    if (rc == 0)
        rc = ranges_open(input, kind, &ranges, &err);
    while (rc >= 0 && (rc = ranges_next(ranges, &row, &err)) > 0)
        rc = take(bench, build, &row, &err);
    if (rc < 0)
        die(path, err.msg);
    ranges_close(ranges);
    input_close(input);
    (void)close(fd);
}

static void
make_tables(struct bench *bench, const char *folder)
{
    struct err err = {0};
    double start = cpu_s();
    struct geo_build *build = need(geo_build_new());

    read_csv(bench, build, folder, "ip4-asn", RANGES_IP4_ASN);
    bench->asns4 = bench->asns.count;
    read_csv(bench, build, folder, "ip4-economy", RANGES_IP4_ECONOMY);
    read_csv(bench, build, folder, "ip6-asn", RANGES_IP6_ASN);
    read_csv(bench, build, folder, "ip6-economy", RANGES_IP6_ECONOMY);
    read_csv(bench, build, folder, "asn", RANGES_ASN);
    if (geo_build_write(build, SPAN("bench"), 0, bench->table, &err) != 0)
        die(bench->table, err.msg);
    geo_build_free(build);
    figure_add(&bench->figures,
        (struct figure){.what = "build the table", .value = cpu_s() - start, .unit = "s"});
    FILE *file = need(fopen(bench->mmdb_path, "wbe"));
    if (mmdb_write(bench->asns.list, bench->asns.count, bench->economies.list,
            bench->economies.count, file)
            != 0
        || fclose(file) != 0)
        die(bench->mmdb_path, "cannot be written");
}

static void
open_tables(struct bench *bench)
{
    struct err err = {0};
    struct stat ours;
    struct stat theirs;
    double best = 1e9;

    for (int i = 0; i < ROUNDS; i++) {
        geo_close(bench->geo);
        double start = cpu_s();
        if (geo_open(bench->table, &bench->geo, &err) != 0)
            die(bench->table, err.msg);
        double took = cpu_s() - start;
        best = took < best ? took : best;
    }
    figure_add(&bench->figures,
        (struct figure){.what = "open and check it whole",
            .value = best * 1e3,
            .unit = "ms",
            .reach = REACH_OPEN_MS,
            .at_most = true});
    if (stat(bench->table, &ours) != 0 || stat(bench->mmdb_path, &theirs) != 0)
        die(bench->table, "is gone");
    figure_add(&bench->figures,
        (struct figure){.what = "table",
            .value = (double)ours.st_size / 1e6,
            .unit = "MB",
            .beside = "mmdb file",
            .ratio = (double)ours.st_size / (double)theirs.st_size,
            .reach = REACH_BYTES / 1e6,
            .at_most = true});
    size_t words = 1;
    while (words * 2 * sizeof *bench->array <= (size_t)ours.st_size)
        words *= 2;
    bench->array = need(calloc(words, sizeof *bench->array));
    bench->array_mask = words - 1;
    for (size_t i = 0; i < words; i++)
        bench->array[i] = i;
#ifdef HAVE_MAXMINDDB
    if (MMDB_open(bench->mmdb_path, MMDB_MODE_MMAP, &bench->mmdb) != MMDB_SUCCESS)
        die(bench->mmdb_path, "is no MaxMind DB to libmaxminddb");
#endif
}

/* What a look-up found, so that none is left out and all agree. */
static uint64_t
digest(uint32_t asn, uint32_t letters)
{
    return (uint64_t)asn * 31 + letters;
}

static uint64_t
digest_answers(const struct geo_answer *answers, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += digest(answers[i].asn, answers[i].economy.index);
    return sum;
}

static uint64_t
run_batch(const struct bench *bench, const struct work *work)
{
    static struct geo_answer out[BATCH];
    uint64_t sum = 0;

    for (size_t i = 0; i < work->count; i += BATCH) {
        size_t n = work->count - i < BATCH ? work->count - i : BATCH;
        if (work->family == 4)
            geo_find4(bench->geo, work->ip4 + i, n, out);
        else
            geo_find6(bench->geo, work->ip6 + i, n, out);
        sum += digest_answers(out, n);
    }
    return sum;
}

static uint64_t
run_single(const struct bench *bench, const struct work *work)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < work->count; i++) {
        struct address a =
            work->family == 4 ? (struct address){0, work->ip4[i], 4, 32} : work->ip6[i];
        struct geo_answer answer = geo_find(bench->geo, &a);
        sum += digest(answer.asn, answer.economy.index);
    }
    return sum;
}

static uint64_t
run_array(const struct bench *bench, const struct work *work)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < work->count; i++) {
        uint64_t key = work->family == 4 ? work->ip4[i] : work->ip6[i].high >> 16;
        /* Neighbours stay neighbours, as in a table. */
        sum += bench->array[(key >> 8) & bench->array_mask];
    }
    return sum;
}

#ifdef HAVE_MAXMINDDB
static uint64_t
digest_entry(MMDB_entry_s *entry)
{
    MMDB_entry_data_s asn;
    MMDB_entry_data_s country;

    if (MMDB_get_value(entry, &asn, "asn", NULL) != MMDB_SUCCESS
        || MMDB_get_value(entry, &country, "country", NULL) != MMDB_SUCCESS)
        die("libmaxminddb", "found no asn and country");
    return digest(asn.uint32,
        country.data_size < 2 ? 0 : economy_find((struct span){country.utf8_string, 2}).index);
}

static uint64_t
run_mmdb(const struct bench *bench, const struct work *work)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    uint64_t sum = 0;
    int error = 0;

    for (size_t i = 0; i < work->count; i++) {
        const struct sockaddr *at = (const struct sockaddr *)&in4;
        if (work->family == 4) {
            in4.sin_addr.s_addr = htonl(work->ip4[i]);
        } else {
            uint64_t halves[2] = {
                __builtin_bswap64(work->ip6[i].high), __builtin_bswap64(work->ip6[i].low)};
            memcpy(&in6.sin6_addr, halves, sizeof halves);
            at = (const struct sockaddr *)&in6;
        }
        MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&bench->mmdb, at, &error);
        if (error != MMDB_SUCCESS)
            die("libmaxminddb", MMDB_strerror(error));
        sum += found.found_entry ? digest_entry(&found.entry) : 0;
    }
    return sum;
}
#endif

typedef uint64_t run_fn(const struct bench *bench, const struct work *work);

static double
timed(run_fn *run, const struct bench *bench, const struct work *work, uint64_t *sum)
{
    double start = cpu_s();

    *sum = run(bench, work);
    __asm__ volatile("" : : "r"(*sum) : "memory");
    return cpu_s() - start;
}

enum { BATCHED, SINGLE, ARRAY, MMDB, CONTENDERS };

static void
add_case(
    struct bench *bench, const char *what, double times[CONTENDERS][ROUNDS], int mine, int other)
{
    static const char *const besides[] = {[ARRAY] = "bare array read", [MMDB] = "libmaxminddb"};
    double ratios[ROUNDS];
    double speeds[ROUNDS];
    bool had = times[other][0] > 0;

    for (int r = 0; r < ROUNDS; r++) {
        ratios[r] = had ? times[other][r] / times[mine][r] : 0;
        speeds[r] = PER_ROUND / times[mine][r] / 1e6;
    }
    figure_add_rounds(&bench->figures,
        (struct figure){.what = what,
            .value = figure_middle(speeds, ROUNDS),
            .unit = "M/s",
            .beside = besides[other],
            .reach = mine == BATCHED && other == MMDB ? REACH_RATIO : 0,
            .of_ratio = true,
            .absent = !had},
        ratios, ROUNDS);
}

static void
measure(struct bench *bench, const char *batched, const char *single, struct work all)
{
    static run_fn *const runs[CONTENDERS] = {[BATCHED] = run_batch,
        [SINGLE] = run_single,
        [ARRAY] = run_array,
#ifdef HAVE_MAXMINDDB
        [MMDB] = run_mmdb
#endif
    };
    double times[CONTENDERS][ROUNDS] = {{0}};
    uint64_t sums[CONTENDERS];

    for (int r = 0; r < ROUNDS; r++) {
        struct work work = {.family = all.family,
            .count = PER_ROUND,
            .ip4 = all.ip4 == NULL ? NULL : all.ip4 + (size_t)r * PER_ROUND,
            .ip6 = all.ip6 == NULL ? NULL : all.ip6 + (size_t)r * PER_ROUND};
        for (int c = 0; c < CONTENDERS; c++)
            if (runs[c] != NULL)
                times[c][r] = timed(runs[c], bench, &work, &sums[c]);
        if (sums[SINGLE] != sums[BATCHED] || (runs[MMDB] != NULL && sums[MMDB] != sums[BATCHED]))
            die(batched, "the answers differ");
    }
    add_case(bench, batched, times, BATCHED, MMDB);
    add_case(bench, batched, times, BATCHED, ARRAY);
    add_case(bench, single, times, SINGLE, MMDB);
}

/* An address inside a routed range that chance picks. */
static mmdb_key
routed(struct bench *bench, int family)
{
    size_t first = family == 4 ? 0 : bench->asns4;
    size_t count = family == 4 ? bench->asns4 : bench->asns.count - first;
    const struct mmdb_range *range = &bench->asns.list[first + rnd(bench) % count];
    mmdb_key wide = (mmdb_key)rnd(bench) << 64 | rnd(bench);

    return range->first + wide % (range->last - range->first + 1);
}

/* CLUSTERS networks (/24, /48), the first ones named far more often than the last. */
static mmdb_key
clustered(struct bench *bench, const mmdb_key *networks, int family)
{
    uint64_t r = rnd(bench);
    size_t which = (size_t)((r & 0xfff) * (r >> 12 & 0xfff) * (r >> 24 & 0xfff) >> 24) % CLUSTERS;

    if (family == 4)
        return (networks[which] & ~(mmdb_key)0xff) | r >> 56;
    return (networks[which] >> 80 << 80) | ((mmdb_key)(r >> 40 & 0xffff) << 64) | rnd(bench);
}

static void
run_family(
    struct bench *bench, int family, bool in_clusters, const char *batched, const char *single)
{
    size_t count = (size_t)ROUNDS * PER_ROUND;
    static mmdb_key networks[CLUSTERS];
    uint32_t *ip4 = family == 4 ? need(calloc(count, sizeof *ip4)) : NULL;
    struct address *ip6 = family == 6 ? need(calloc(count, sizeof *ip6)) : NULL;

    for (size_t i = 0; i < CLUSTERS; i++)
        networks[i] = routed(bench, family);
    for (size_t i = 0; i < count; i++) {
        mmdb_key key = in_clusters ? clustered(bench, networks, family)
            : family == 4          ? rnd(bench)
                                   : routed(bench, 6);
        if (family == 4)
            ip4[i] = (uint32_t)key;
        else
            ip6[i] = (struct address){(uint64_t)(key >> 64), (uint64_t)key, 6, 128};
    }
    measure(bench, batched, single, (struct work){.family = family, .ip4 = ip4, .ip6 = ip6});
    free(ip4);
    free(ip6);
}

static void
clean_up(struct bench *bench, const char *folder)
{
#ifdef HAVE_MAXMINDDB
    MMDB_close(&bench->mmdb);
#endif
    geo_close(bench->geo);
    free(bench->array);
    free(bench->asns.list);
    free(bench->economies.list);
    (void)unlink(bench->table);
    (void)unlink(bench->mmdb_path);
    (void)rmdir(folder);
}

int
main(int argc, char **argv)
{
    static struct bench bench = {.seed = 20, .figures = {.bench = "lookup"}};
    char folder[] = "/tmp/comity-lookup-XXXXXX";
    const char *from = "share/geo";

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            bench.figures.json = true;
        else
            from = argv[i];
    }
    if (mkdtemp(folder) == NULL)
        die(folder, "cannot be made");
    (void)snprintf(bench.table, sizeof bench.table, "%s/world.geo", folder);
    (void)snprintf(bench.mmdb_path, sizeof bench.mmdb_path, "%s/world.mmdb", folder);
    make_tables(&bench, from);
    open_tables(&bench);
    run_family(&bench, 4, false, "IPv4 random", "IPv4 random, one by one");
    run_family(&bench, 4, true, "IPv4 clustered", "IPv4 clustered, one by one");
    run_family(&bench, 6, false, "IPv6 random routed", "IPv6 random routed, one by one");
    run_family(&bench, 6, true, "IPv6 clustered", "IPv6 clustered, one by one");
    clean_up(&bench, folder);
    return figure_tell(&bench.figures);
}
