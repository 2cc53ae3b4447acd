#include "limit.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <simdjson.h>
#include <string_view>
#include <unistd.h>

namespace
{

constexpr size_t BLOCK_BYTES = 256 * 1024; // as fmt/input.c reads

// The fields of bench/reports.c, in its order.
constexpr std::string_view fields[] = {"time.source", "source.ip", "source.port",
    "classification.type", "feed.provider", "feed.name", "malware.name", "protocol.transport",
    "tlp", "destination.port", "source.account", "extra.tag"};
constexpr size_t field_count = sizeof fields / sizeof fields[0];

// Which field is it? The one that is due, as a rule.
size_t
field_of(std::string_view key, size_t due)
{
    if (due < field_count && key == fields[due])
        return due;
    return static_cast<size_t>(std::find(fields, fields + field_count, key) - fields);
}

// Every value is visited once, as routing must; to know what it is, the field is recognised.
uint64_t
touch(simdjson::dom::element document, bool recognise)
{
    simdjson::dom::object object;
    uint64_t sum = 0;
    size_t due = 0;

    if (document.get(object) != simdjson::SUCCESS)
        return 0;
    for (auto member : object) {
        std::string_view text;
        int64_t number = 0;
        size_t field = recognise ? field_of(member.key, due) : member.key.size();
        due = field + 1;
        sum += field;
        if (member.value.get(text) == simdjson::SUCCESS)
            sum += text.size();
        else if (member.value.get(number) == simdjson::SUCCESS)
            sum += static_cast<uint64_t>(number);
    }
    return sum;
}

// The records of TEXT, a line each; the bytes behind the last line feed are left.
size_t
parse_lines(
    simdjson::dom::parser &parser, const char *text, size_t n, bool recognise, limit &result)
{
    const char *at = text;

    for (const void *lf; (lf = memchr(at, '\n', static_cast<size_t>(text + n - at))) != nullptr;) {
        const char *stop = static_cast<const char *>(lf);
        simdjson::dom::element document;
        if (parser.parse(at, static_cast<size_t>(stop - at), false).get(document)
            == simdjson::SUCCESS) {
            result.sum += touch(document, recognise);
            result.records++;
        }
        at = stop + 1;
    }
    return static_cast<size_t>(text + n - at);
}

} // namespace

limit
limit_file(int fd, bool recognise)
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
        left = parse_lines(parser, block.get(), n, recognise, result);
        memmove(block.get(), block.get() + n - left, left);
    }
    return result;
}
