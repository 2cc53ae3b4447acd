#include "reports.h"

#include "fmt/reader.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES = 1 << 30 };

uint64_t
reports_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void
reports_make(struct buf *out, uint64_t count, uint64_t seed)
{
    static const char *const types[] = {
        "infected-system", "scanner", "c2-server", "vulnerable-system", "brute-force", "phishing"};
    static const char *const tlps[] = {"TLP:CLEAR", "TLP:GREEN", "TLP:GREEN", "TLP:AMBER"};

    for (uint64_t i = 0; i < count; i++) {
        uint64_t r = reports_random(&seed);
        uint32_t ip = (uint32_t)r;
        if (ip >> 24 == 0 || ip >> 24 == 10 || ip >> 24 == 127 || ip >> 28 >= 14)
            ip = (ip & 0x00ffffff) | 0x5b000000;
        buf_format(out,
            "{\"time.source\":\"2026-11-%02u "
            "%02u:%02u:%02u+00:00\",\"source.ip\":\"%u.%u.%u.%u\",\"source.port\":%u,"
            "\"classification.type\":\"%s\",\"feed.provider\":\"Example\",\"feed.name\":\"Sinkhole "
            "%u\","
            "\"malware.name\":\"family%u\",\"protocol.transport\":\"tcp\",\"tlp\":\"%s\","
            "\"destination.port\":%u,\"source.account\":\"user%u\",\"extra.tag\":\"b%llu\"}\n",
            1 + (unsigned)(r >> 32) % 28, (unsigned)(r >> 37) % 24, (unsigned)(r >> 42) % 60,
            (unsigned)(r >> 48) % 60, ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255,
            1024 + (unsigned)(r >> 20) % 60000, types[(r >> 50) % 6], (unsigned)(r >> 53) % 4,
            (unsigned)(r >> 40) % 97, tlps[(r >> 56) % 4], (unsigned)(r >> 24) % 1024,
            (unsigned)(r >> 33) % 5000, (unsigned long long)i);
    }
}

static _Noreturn void
fail(const char *why)
{
    (void)fprintf(stderr, "bench: the reports cannot be read: %s\n", why);
    exit(2);
}

static int
on_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    (void)ctx;
    (void)record;
    (void)err;
    fail(why->msg);
}

void
reports_read(uint64_t count, uint64_t seed, reports_take *take, void *ctx)
{
    const struct reader_sink sink = {.ctx = ctx, .report = take, .reject = on_reject};
    const struct reader_options options = {.share_dir = ""};
    struct buf text = buf_new(TEXT_BYTES);
    struct input *input;
    struct err err;

    reports_make(&text, count, seed);
    if (text.full)
        fail("they are too many");
    if (input_open_bytes(buf_span(&text), "reports", &input, &err) != 0
        || idf_read(input, &options, &sink, &err) != 0)
        fail(err.msg);
    input_close(input);
    buf_free(&text);
}
