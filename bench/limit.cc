#include "limit.h"

#include <cstring>
#include <simdjson.h>

namespace
{

// Every member's key and value is visited once, as routing must.
uint64_t
touch(simdjson::dom::element document)
{
    simdjson::dom::object object;
    uint64_t sum = 0;

    if (document.get(object) != simdjson::SUCCESS)
        return 0;
    for (auto member : object) {
        std::string_view text;
        int64_t number = 0;
        sum += member.key.size();
        if (member.value.get(text) == simdjson::SUCCESS)
            sum += text.size();
        else if (member.value.get(number) == simdjson::SUCCESS)
            sum += static_cast<uint64_t>(number);
    }
    return sum;
}

} // namespace

uint64_t
limit_lines(const char *text, size_t n, uint64_t *records)
{
    simdjson::dom::parser parser;
    const char *end = text + n;
    uint64_t sum = 0;

    if (parser.allocate(1 << 20) != simdjson::SUCCESS)
        return 0;
    for (const char *at = text; at < end;) {
        const void *lf = memchr(at, '\n', static_cast<size_t>(end - at));
        const char *stop = lf == nullptr ? end : static_cast<const char *>(lf);
        simdjson::dom::element document;
        if (parser.parse(at, static_cast<size_t>(stop - at), false).get(document)
            == simdjson::SUCCESS) {
            sum += touch(document);
            ++*records;
        }
        at = stop + 1;
    }
    return sum;
}

uint64_t
limit_many(const char *text, size_t n, uint64_t *records)
{
    simdjson::dom::parser parser;
    simdjson::dom::document_stream stream;
    uint64_t sum = 0;

    if (parser.parse_many(text, n, 1 << 20).get(stream) != simdjson::SUCCESS)
        return 0;
    for (auto document : stream) {
        simdjson::dom::element element;
        if (document.get(element) == simdjson::SUCCESS) {
            sum += touch(element);
            ++*records;
        }
    }
    return sum;
}
