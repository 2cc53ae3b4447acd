// The one C++ file: simdjson's strict DOM parser behind a C face.
#include "fmt/json_tape.h"

#include <new>
#include <simdjson.h>

// base/err.h is C; only the numbers of its table are needed here.
enum err_code {
    ERR_OK = 0,
#define ERROR(name, number, kind, http, word, text) ERR_##name = -(number),
#include "tables/errors.def"
#undef ERROR
};

static_assert(simdjson::SIMDJSON_PADDING <= 64, "callers promise 64 readable bytes");

namespace
{

struct parser {
    simdjson::dom::parser dom;
    size_t max_bytes;
    size_t depth;
};

int
code_of(simdjson::error_code error)
{
    switch (error) {
    case simdjson::SUCCESS:
        return ERR_OK;
    case simdjson::CAPACITY:
    case simdjson::DEPTH_ERROR:
        return ERR_LIMIT;
    case simdjson::MEMALLOC:
        return ERR_NO_MEMORY;
    case simdjson::UTF8_ERROR:
        return ERR_BAD_UTF8;
    case simdjson::NUMBER_ERROR:
        return ERR_BAD_NUMBER;
    case simdjson::UNCLOSED_STRING:
        return ERR_TRUNCATED;
    default:
        return ERR_BAD_JSON;
    }
}

// Memory grows with the documents seen, in powers of two, up to the limit.
simdjson::error_code
make_room(parser *self, size_t n)
{
    size_t capacity = 4096;

    if (n > self->max_bytes)
        return simdjson::CAPACITY;
    if (self->dom.capacity() >= n)
        return simdjson::SUCCESS;
    while (capacity < n)
        capacity *= 2;
    return self->dom.allocate(capacity, self->depth);
}

} // namespace

void *
json_tape_new(size_t max_bytes, size_t depth)
{
    return new (std::nothrow) parser{simdjson::dom::parser{}, max_bytes, depth};
}

void
json_tape_free(void *opaque)
{
    delete static_cast<parser *>(opaque);
}

int
json_tape_parse(void *opaque, const char *text, size_t n, json_tape *out, const char **what)
{
    parser *self = static_cast<parser *>(opaque);
    simdjson::error_code error = make_room(self, n);

    if (error == simdjson::SUCCESS)
        error = self->dom.parse(reinterpret_cast<const uint8_t *>(text), n, false).error();
    if (error != simdjson::SUCCESS) {
        *what = simdjson::error_message(error);
        return code_of(error);
    }
    out->words = self->dom.doc.tape.get();
    out->strings = self->dom.doc.string_buf.get();
    return ERR_OK;
}

// simdjson's first pass alone. Its header calls it internal; On-Demand is built on the same call.
int
json_tape_tokens(void *opaque, const char *text, size_t n, const uint32_t **tokens, size_t *count)
{
    parser *self = static_cast<parser *>(opaque);
    simdjson::error_code error = make_room(self, n);

    if (error != simdjson::SUCCESS)
        return code_of(error);
    auto &pass = *self->dom.implementation;
    error = pass.stage1(reinterpret_cast<const uint8_t *>(text), n, simdjson::stage1_mode::regular);
    if (error != simdjson::SUCCESS)
        return code_of(error);
    *tokens = pass.structural_indexes.get();
    *count = pass.n_structural_indexes;
    return ERR_OK;
}
