#include "reports.h"

static uint64_t
next(uint64_t *state)
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
        uint64_t r = next(&seed);
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
