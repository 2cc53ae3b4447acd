#include "edge/coding.h"

#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

/* Does the list in HEADER name WHAT itself, with another weight than 0? */
static bool
names(const struct request *request, const char *header, struct span what)
{
    struct span accepted;
    struct span one;

    if (!request_header(request, header, &accepted))
        return false;
    while (span_next(&accepted, ',', &one)) {
        struct span name;
        if (!span_next(&one, ';', &name) || !span_equal_nocase(span_trim(name), what))
            continue;
        one = span_trim(one);
        return !span_equal(one, SPAN("q=0")) && !span_starts(one, SPAN("q=0.0"));
    }
    return false;
}

bool
coding_takes_gzip(const struct request *request)
{
    return names(request, "Accept-Encoding", SPAN("gzip"));
}

bool
coding_takes_html(const struct request *request)
{
    return names(request, "Accept", SPAN("text/html"));
}

int
coding_gzip(struct span bytes, enum coding_level level, struct buf *out, struct err *err)
{
    z_stream z = {0};

    if (deflateInit2(&z, (int)level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY)
        != Z_OK)
        return err_set(err, ERR_NO_MEMORY, "no memory to pack an answer");
    size_t room = deflateBound(&z, bytes.n);
    out->n = 0;
    z.next_out = (Bytef *)buf_reserve(out, room);
    z.avail_out = (uInt)room;
    z.next_in = (Bytef *)(uintptr_t)bytes.p;
    z.avail_in = (uInt)bytes.n;
    int end = z.next_out == NULL ? Z_MEM_ERROR : deflate(&z, Z_FINISH);
    out->n = end == Z_STREAM_END ? room - z.avail_out : 0;
    (void)deflateEnd(&z);
    return end == Z_STREAM_END ? 0 : err_set(err, ERR_LIMIT, "an answer cannot be packed");
}
