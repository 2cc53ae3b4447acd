/* Tokens and passwords that the node makes. */
#include "core/auth.h"

#include <sodium.h>

static void
random_text(const char *letters, uint32_t count, char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = letters[randombytes_uniform(count)];
    out[n] = '\0';
}

void
auth_make_token(char out[AUTH_TOKEN_BYTES + 1])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    random_text(letters, sizeof letters - 1, out, AUTH_TOKEN_BYTES);
}

void
auth_make_password(char out[AUTH_MADE_BYTES + 1])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none that look alike */

    random_text(letters, sizeof letters - 1, out, AUTH_MADE_BYTES);
}

void
auth_token_hash(struct span token, uint8_t out[32])
{
    (void)crypto_hash_sha256(out, (const unsigned char *)token.p, token.n);
}
