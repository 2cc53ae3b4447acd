#include "limit.h"

#include <cstring>
#include <memory>
#include <simdjson.h>
#include <unistd.h>

namespace
{

constexpr size_t BLOCK_BYTES = 256 * 1024; // as fmt/input.c reads

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

// The records of TEXT, a line each; the bytes behind the last line feed are left.
size_t
parse_lines(simdjson::dom::parser &parser, const char *text, size_t n, limit &result)
{
    const char *at = text;

    for (const void *lf; (lf = memchr(at, '\n', static_cast<size_t>(text + n - at))) != nullptr;) {
        const char *stop = static_cast<const char *>(lf);
        simdjson::dom::element document;
        if (parser.parse(at, static_cast<size_t>(stop - at), false).get(document)
            == simdjson::SUCCESS) {
            result.sum += touch(document);
            result.records++;
        }
        at = stop + 1;
    }
    return static_cast<size_t>(text + n - at);
}

} // namespace

limit
limit_memory(const char *text, size_t n)
{
    simdjson::dom::parser parser;
    limit result = {0, 0};

    if (parser.allocate(1 << 20) == simdjson::SUCCESS)
        (void)parse_lines(parser, text, n, result);
    return result;
}

limit
limit_file(int fd)
{
    simdjson::dom::parser parser;
    limit result = {0, 0};
    std::unique_ptr<char[]> block(new char[BLOCK_BYTES + simdjson::SIMDJSON_PADDING]());
    size_t left = 0;
    ssize_t got;

    if (parser.allocate(1 << 20) != simdjson::SUCCESS)
        return result;
    while ((got = read(fd, block.get() + left, BLOCK_BYTES - left)) > 0) {
        size_t n = left + static_cast<size_t>(got);
        left = parse_lines(parser, block.get(), n, result);
        memmove(block.get(), block.get() + n - left, left);
    }
    return result;
}
