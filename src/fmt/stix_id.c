#include "fmt/stix_id.h"

#include <nettle/sha1.h>

static const uint8_t spaces[][16] = {
    /* 00abedb4-aa42-466c-9c01-fed23315a9b7, of the standard */
    {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9,
        0xb7},
    /* 756c1cf3-b883-412a-882d-ebb95ae9f5db */
    {0x75, 0x6c, 0x1c, 0xf3, 0xb8, 0x83, 0x41, 0x2a, 0x88, 0x2d, 0xeb, 0xb9, 0x5a, 0xe9, 0xf5,
        0xdb},
};

void
stix_id_uuid(enum stix_id_space space, struct span name, char *out)
{
    static const char hex[] = "0123456789abcdef";
    struct sha1_ctx sha;
    uint8_t digest[16];

    sha1_init(&sha);
    sha1_update(&sha, sizeof spaces[space], spaces[space]);
    sha1_update(&sha, name.n, (const uint8_t *)name.p);
    sha1_digest(&sha, sizeof digest, digest);
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50);
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof digest; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = hex[digest[i] >> 4];
        *out++ = hex[digest[i] & 15];
    }
}

void
stix_id_make(struct stix_id *id, const char *type, enum stix_id_space space, struct span name)
{
    size_t n = strlen(type);

    memcpy(id->text, type, n);
    id->text[n] = id->text[n + 1] = '-';
    stix_id_uuid(space, name, id->text + n + 2);
    id->n = n + 2 + STIX_UUID_BYTES;
    id->text[id->n] = '\0';
}
