#include "cli/reportid.h"

#include "base/str.h"

#include <unistd.h>

enum { UUID_N = 36 };

bool
reportid_is(const char *text)
{
    struct span id = span_of(text);

    if (id.n != UUID_N)
        return false;
    for (size_t i = 0; i < UUID_N; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = (char)(id.p[i] | 0x20);
        if (dash ? id.p[i] != '-' : !((c >= 'a' && c <= 'f') || (c >= '0' && c <= '9')))
            return false;
    }
    return access(text, F_OK) != 0;
}
