/* Makes event4_sinkhole_http reports and reads them: parse, convert, check, render, in one thread.
 * usage: route_peer make ROWS   writes the CSV to standard output
 *        route_peer read FILE   prints rows, rejected and seconds
 * $COMITY_SHARE is the share folder. */
#include "fmt/reader.h"
#include "fmt/render.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct counts {
    struct buf text;
    uint64_t rows;
    uint64_t rejected;
};

static int
on_report(void *ctx, const struct report *report, struct err *err)
{
    struct counts *counts = ctx;

    counts->rows++;
    if (counts->text.n > 1 << 20)
        counts->text.n = 0;
    render_idf(&counts->text, report);
    return buf_check(&counts->text, "a report", err);
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)record;
    (void)err;
    (void)fprintf(
        stderr, "line %llu: %s: %s\n", (unsigned long long)why->line, why->field, why->msg);
    ((struct counts *)ctx)->rejected++;
    return 0;
}

static int
make(unsigned rows)
{
    (void)puts(
        "\"timestamp\",\"protocol\",\"src_ip\",\"src_port\",\"src_asn\",\"src_geo\",\"src_region\","
        "\"src_city\","
        "\"src_hostname\",\"src_naics\",\"src_sector\",\"device_vendor\",\"device_type\",\"device_"
        "model\","
        "\"severity\",\"dst_ip\",\"dst_port\",\"dst_asn\",\"dst_geo\",\"dst_region\",\"dst_city\","
        "\"dst_hostname\",\"dst_naics\",\"dst_sector\",\"public_source\",\"infection\",\"family\","
        "\"tag\","
        "\"application\",\"version\",\"event_id\",\"http_url\",\"http_host\",\"http_agent\","
        "\"forwarded_by\","
        "\"ssl_cipher\",\"http_referer\"");
    for (unsigned i = 0; i < rows; i++)
        (void)printf(
            "\"2026-03-%02u "
            "%02u:%02u:%02u\",\"tcp\",\"198.51.%u.%u\",\"%u\",\"%u\",\"CZ\",\"PRAHA\",\"PRAHA\","
            "\"host-%u.example.net\",517311,\"Communications, Service Provider, and Hosting "
            "Service\",,,,"
            "\"high\",\"192.0.2.%u\",\"80\",\"64511\",\"US\",\"CALIFORNIA\",\"SAN JOSE\",,0,,"
            "\"example\",\"avalanche-andromeda\",\"andromeda\",\"avalanche\",\"http\",\"1.1\",,"
            "\"/gate%u.php\",\"sinkhole-%u.example.com\",\"Mozilla/4.0\",,,\n",
            1 + i % 28, i % 24, i % 60, i / 60 % 60, i >> 8 & 255, i & 255, 1024 + i % 60000,
            64496 + i % 15, i, i & 255, i % 7, i % 100);
    return ferror(stdout) ? 1 : 0;
}

static int
read_file(const char *path)
{
    struct counts counts = {.text = buf_new(4 << 20)};
    const struct reader_sink sink = {.ctx = &counts, .report = on_report, .reject = on_reject};
    const char *share = getenv("COMITY_SHARE");
    const struct reader_options options = {.share_dir = share == NULL ? "share" : share};
    struct timespec from, to;
    struct input *input;
    struct err err = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    int rc = fd < 0 ? -1 : input_open_fd(fd, path, &input, &err);
    if (rc == 0) {
        rc = shadowserver_read(input, &options, &sink, &err);
        input_close(input);
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    if (fd >= 0)
        (void)close(fd);
    buf_free(&counts.text);
    if (rc != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, err.msg);
        return 1;
    }
    (void)printf("%llu %llu %.6f\n", (unsigned long long)counts.rows,
        (unsigned long long)counts.rejected,
        (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make((unsigned)strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return read_file(argv[2]);
    (void)fputs("usage: route_peer make ROWS | read FILE\n", stderr);
    return 2;
}
