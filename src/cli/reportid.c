#include "cli/reportid.h"

#include "fmt/stix_check.h"

#include <unistd.h>

bool
reportid_is(const char *text)
{
    return stix_check_uuid(span_of(text)) && access(text, F_OK) != 0;
}
