#include "fmt/csv_plain.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* A bit a byte of 64, the first byte's lowest. */
struct block {
    uint64_t quotes;
    uint64_t separators;
    uint64_t odd; /* NUL, or above 0x7f */
};

#if defined(__SSE2__)
static inline void
look(const char *p, char separator, struct block *out)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i sep = _mm_set1_epi8(separator);
    const __m128i nul = _mm_setzero_si128();

    *out = (struct block){0};
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i odd = _mm_or_si128(v, _mm_cmpeq_epi8(v, nul));
        out->quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)) << i;
        out->separators |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, sep)) << i;
        out->odd |= (uint64_t)(uint32_t)_mm_movemask_epi8(odd) << i;
    }
}
#else
static inline void
look(const char *p, char separator, struct block *out)
{
    *out = (struct block){0};
    for (unsigned i = 0; i < 64; i++) {
        unsigned char c = (unsigned char)p[i];
        out->quotes |= (uint64_t)(c == '"') << i;
        out->separators |= (uint64_t)(c == (unsigned char)separator) << i;
        out->odd |= (uint64_t)(c == 0 || c > 0x7f) << i;
    }
}
#endif

/* Bit i of the result: the number of bits of X up to and with i is odd. */
static inline uint64_t
parity(uint64_t x)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        x ^= x << shift;
    return x;
}

/* What one block leaves to the next. */
struct carry {
    uint64_t inside; /* all ones: a quote is open */
    uint64_t starts; /* 1: a cell begins with the next byte */
    uint64_t closed; /* 1: the last byte was a closing quote */
    uint64_t wrong;  /* not 0: the line is not plain */
    uint64_t odd;
};

/* The separators outside quotes. An opening quote must begin a cell, a closing one end it. */
static inline uint64_t
ends_of(const struct block *block, uint64_t valid, struct carry *carry)
{
    uint64_t inside = parity(block->quotes & valid) ^ carry->inside;
    uint64_t ends = block->separators & ~inside & valid;
    uint64_t opening = block->quotes & inside & valid;
    uint64_t closing = block->quotes & ~inside & valid;

    carry->wrong |= opening & ~(ends << 1 | carry->starts);
    carry->wrong |= (closing << 1 | carry->closed) & ~ends & valid;
    carry->inside = 0 - (inside >> 63);
    carry->starts = ends >> 63;
    carry->closed = closing >> 63;
    carry->odd |= block->odd & valid;
    return ends;
}

static inline struct span
cell_between(const char *from, const char *end)
{
    return from < end && *from == '"' ? (struct span){from + 1, (size_t)(end - from) - 2}
                                      : (struct span){from, (size_t)(end - from)};
}

size_t
csv_plain(struct span line, char separator, struct span *cells, size_t room, bool *ascii)
{
    struct carry carry = {.starts = 1};
    const char *from = line.p;
    size_t count = 0;

    for (size_t at = 0; at < line.n; at += 64) {
        struct block block;
        look(line.p + at, separator, &block);
        size_t left = line.n - at;
        uint64_t ends =
            ends_of(&block, left < 64 ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0, &carry);
        for (; ends != 0 && count + 1 < room; ends &= ends - 1) {
            const char *end = line.p + at + (unsigned)__builtin_ctzll(ends);
            cells[count++] = cell_between(from, end);
            from = end + 1;
        }
        if (ends != 0 || carry.wrong != 0)
            return 0;
    }
    if (carry.inside != 0 || count >= room)
        return 0;
    cells[count++] = cell_between(from, line.p + line.n);
    *ascii = carry.odd == 0;
    return count;
}
