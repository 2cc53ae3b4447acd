#include "flow/pseudonym.h"

#include "base/hash.h"

#include <endian.h>
#include <nettle/aes.h>
#include <nettle/hmac.h>
#include <sodium.h>
#include <stdlib.h>

enum {
    KEYS = 1024,
    KEY_BYTES = 32,
    PAIR_BYTES = 160,
    BLOCK = AES_BLOCK_SIZE,
    V4_START = 96,
    BITS = 128
};
_Static_assert(crypto_kdf_KEYBYTES == KEY_BYTES, "the secret is a kdf key");

struct pseudonym_key {
    struct aes128_ctx first;
    struct aes128_ctx second;
    struct hmac_sha256_ctx hmac; /* the key taken in */
    size_t n;                    /* bytes of pair; 0: not made */
    char pair[PAIR_BYTES];       /* agreement, a zero byte, recipient */
};

struct pseudonyms {
    uint8_t *secret;            /* sodium_malloc */
    struct pseudonym_key *keys; /* sodium_malloc; by the pair's first bits */
};

struct pseudonyms *
pseudonyms_new(const uint8_t secret[PSEUDONYM_SECRET_BYTES])
{
    struct pseudonyms *p = sodium_init() < 0 ? NULL : calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->secret = sodium_malloc(PSEUDONYM_SECRET_BYTES);
    p->keys = sodium_allocarray(KEYS, sizeof *p->keys);
    if (p->secret == NULL || p->keys == NULL) {
        pseudonyms_free(p);
        return NULL;
    }
    memcpy(p->secret, secret, PSEUDONYM_SECRET_BYTES);
    memset(p->keys, 0, KEYS * sizeof *p->keys);
    return p;
}

void
pseudonyms_free(struct pseudonyms *pseudonyms)
{
    if (pseudonyms == NULL)
        return;
    sodium_free(pseudonyms->secret);
    sodium_free(pseudonyms->keys);
    free(pseudonyms);
}

static bool
set_keys(struct pseudonym_key *key, const uint8_t *address_key, const uint8_t *other_key)
{
    aes128_set_encrypt_key(&key->first, address_key);
    aes128_set_encrypt_key(&key->second, address_key + KEY_BYTES / 2);
    hmac_sha256_set_key(&key->hmac, KEY_BYTES, other_key);
    return sodium_memcmp(address_key, address_key + KEY_BYTES / 2, KEY_BYTES / 2) != 0;
}

/* libsodium takes a number of 64 bits for each key; a chain of four takes all of the hash. */
static void
derive(const uint8_t *secret, struct span name, struct pseudonym_key *key)
{
    uint64_t pair[crypto_hash_sha256_BYTES / 8];
    uint8_t chain[KEY_BYTES];
    uint8_t address_key[KEY_BYTES];
    uint8_t other_key[KEY_BYTES];

    (void)crypto_hash_sha256((unsigned char *)pair, (const unsigned char *)name.p, name.n);
    memcpy(chain, secret, KEY_BYTES);
    for (int i = 0; i < 4; i++)
        (void)crypto_kdf_derive_from_key(chain, KEY_BYTES, le64toh(pair[i]), "comityag", chain);
    (void)crypto_kdf_derive_from_key(address_key, KEY_BYTES, 1, "comitypf", chain);
    (void)crypto_kdf_derive_from_key(other_key, KEY_BYTES, 2, "comityhm", chain);
    (void)set_keys(key, address_key, other_key); /* equal halves: once in 2^128 */
    memcpy(key->pair, name.p, name.n);
    key->n = name.n;
    sodium_memzero(chain, sizeof chain);
    sodium_memzero(address_key, sizeof address_key);
    sodium_memzero(other_key, sizeof other_key);
}

const struct pseudonym_key *
pseudonyms_key(struct pseudonyms *pseudonyms, struct span agreement, struct span recipient)
{
    char pair[PAIR_BYTES];
    struct span name = {pair, agreement.n + 1 + recipient.n};

    if (agreement.n + recipient.n >= sizeof pair)
        return NULL; /* ids are shorter; without a key all is generalised */
    memcpy(pair, agreement.p, agreement.n);
    pair[agreement.n] = '\0';
    memcpy(pair + agreement.n + 1, recipient.p, recipient.n);
    struct pseudonym_key *key = &pseudonyms->keys[hash_bytes(name.p, name.n, 0) % KEYS];
    if (key->n != name.n || memcmp(key->pair, name.p, name.n) != 0)
        derive(pseudonyms->secret, name, key);
    return key;
}

struct pseudonym_key *
pseudonym_key_of(const uint8_t address_key[32], const uint8_t other_key[32])
{
    struct pseudonym_key *key = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *key);

    if (key != NULL && !set_keys(key, address_key, other_key)) {
        sodium_free(key);
        return NULL;
    }
    return key;
}

void
pseudonym_key_free(struct pseudonym_key *key)
{
    sodium_free(key);
}

/* ---- addresses ---- */

struct bits { /* 128 of them, the first the highest */
    uint64_t high;
    uint64_t low;
};

/* The first LENGTH bits of ADDRESS as a number, and a one before them. */
static void
put_prefix(uint8_t block[BLOCK], struct bits address, unsigned length)
{
    struct bits out;
    uint64_t words[2];

    if (length == 0)
        out = (struct bits){0, 1};
    else if (length < 64)
        out = (struct bits){0, address.high >> (64 - length) | (uint64_t)1 << length};
    else if (length == 64)
        out = (struct bits){1, address.high};
    else
        out = (struct bits){address.high >> (128 - length) | (uint64_t)1 << (length - 64),
            address.high << (length - 64) | address.low >> (128 - length)};
    words[0] = htobe64(out.high);
    words[1] = htobe64(out.low);
    memcpy(block, words, BLOCK);
}

/* Bit i, from the first: by what the bit behind a prefix of i bits is turned, for FROM <= i < TO.
 */
static struct bits
mask_of(const struct pseudonym_key *key, struct bits address, unsigned from, unsigned to)
{
    uint8_t plain[BITS * BLOCK];
    uint8_t first[BITS * BLOCK];
    uint8_t second[BITS * BLOCK];
    size_t n = (to - from) * BLOCK;
    struct bits mask = {0, 0};

    if (n == 0)
        return mask;
    for (unsigned i = from; i < to; i++)
        put_prefix(plain + (i - from) * BLOCK, address, i);
    aes128_encrypt(&key->first, n, first, plain);
    aes128_encrypt(&key->second, n, second, plain);
    for (unsigned i = from; i < to; i++) {
        size_t last = (i - from) * BLOCK + BLOCK - 1;
        uint64_t bit = (first[last] ^ second[last]) & 1u;
        if (i < 64)
            mask.high |= bit << (63 - i);
        else
            mask.low |= bit << (127 - i);
    }
    return mask;
}

/* IPv4 is done as IPv4-mapped IPv6, of which the first 96 bits stay. */
static struct bits
bits_of(const struct address *address)
{
    return address->family == 4 ? (struct bits){0, (uint64_t)0xffff << 32 | address->low}
                                : (struct bits){address->high, address->low};
}

static unsigned
length_of(const struct address *address, unsigned *start)
{
    bool mapped = address->family == 6 && address->high == 0 && address->low >> 32 == 0xffff
        && address->bits >= V4_START;

    *start = address->family == 4 || mapped ? V4_START : 0;
    return address->family == 4 ? (unsigned)V4_START + address->bits : address->bits;
}

static struct address
with_bits(const struct address *like, struct bits bits)
{
    struct address out = *like;

    out.high = like->family == 4 ? 0 : bits.high;
    out.low = like->family == 4 ? (uint32_t)bits.low : bits.low;
    return out;
}

struct address
pseudonym_address(const struct pseudonym_key *key, const struct address *address)
{
    unsigned start;
    unsigned end = length_of(address, &start);
    struct bits bits = bits_of(address);
    struct bits mask = mask_of(key, bits, start, end);

    return with_bits(address, (struct bits){bits.high ^ mask.high, bits.low ^ mask.low});
}

struct address
pseudonym_address_back(const struct pseudonym_key *key, const struct address *pseudonym)
{
    unsigned start;
    unsigned end = length_of(pseudonym, &start);
    struct bits bits = bits_of(pseudonym);

    /* Each bit hangs on the true ones before it, so it goes bit by bit. */
    for (unsigned i = start; i < end; i++) {
        struct bits mask = mask_of(key, bits, i, i + 1);
        bits.high ^= mask.high;
        bits.low ^= mask.low;
    }
    return with_bits(pseudonym, bits);
}

/* ---- all else ---- */

void
pseudonym_hex(const struct pseudonym_key *key, enum field_class class, struct span value,
    char out[PSEUDONYM_HEX + 1])
{
    struct hmac_sha256_ctx state = key->hmac;
    unsigned char digest[PSEUDONYM_HEX / 2];
    const char *word = field_class_word(class);

    hmac_sha256_update(&state, strlen(word) + 1, (const uint8_t *)word);
    hmac_sha256_update(&state, value.n, (const uint8_t *)value.p);
    hmac_sha256_digest(&state, sizeof digest, digest);
    (void)sodium_bin2hex(out, PSEUDONYM_HEX + 1, digest, sizeof digest);
}

static bool
set_text(struct arena *arena, struct field *field, const char *before, const char *hex,
    const char *behind)
{
    size_t a = strlen(before);
    size_t b = strlen(hex);
    size_t c = strlen(behind);
    char *text = arena_alloc(arena, a + b + c);

    if (text == NULL)
        return false;
    memcpy(text, before, a);
    memcpy(text + a, hex, b);
    memcpy(text + a + b, behind, c);
    field->s = text;
    field->n = (uint32_t)(a + b + c);
    return true;
}

static bool
address_field(struct arena *arena, const struct pseudonym_key *key, struct field *field)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address address;

    if (prefix_parse((struct span){field->s, field->n}, &address, NULL) != 0)
        return false;
    address = pseudonym_address(key, &address);
    (void)address_format(&address, text);
    return set_text(arena, field, "", text, "");
}

struct span
pseudonym_plain_name(struct span value, char room[PSEUDONYM_NAME_MOST])
{
    size_t n = value.n > 0 && value.p[value.n - 1] == '.' ? value.n - 1 : value.n;

    if (n > PSEUDONYM_NAME_MOST)
        return (struct span){NULL, 0};
    for (size_t i = 0; i < n; i++)
        room[i] = (char)(value.p[i] >= 'A' && value.p[i] <= 'Z' ? value.p[i] + 32 : value.p[i]);
    return (struct span){room, n};
}

bool
pseudonym_field(struct arena *arena, const struct pseudonym_key *key, struct field *field)
{
    char room[PSEUDONYM_NAME_MOST];
    char hex[PSEUDONYM_HEX + 1];
    struct span value = {field->s, field->n};
    enum field_class class = (enum field_class)field->class;

    if (field->type != VALUE_TEXT)
        return false;
    if (class == FIELD_CLASS_ADDRESS)
        return address_field(arena, key, field);
    if (class == FIELD_CLASS_NAME)
        value = pseudonym_plain_name(value, room);
    if (value.p == NULL)
        return false;
    pseudonym_hex(key, class, value, hex);
    return class == FIELD_CLASS_NAME ? set_text(arena, field, "", hex, ".invalid")
        : class == FIELD_CLASS_URL   ? set_text(arena, field, "https://", hex, ".invalid/")
                                     : set_text(arena, field, "", hex, "");
}
