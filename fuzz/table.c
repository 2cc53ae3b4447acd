/* The address table with some of its bytes changed, each change four bytes: three say where, one
 * what. The checksum is made right again, so what is behind it must stand on its own. */
#include "file.h"
#include "fuzz.h"

#include "base/hash.h"
#include "geo/geo.h"
#include "geo/geo_build.h"
#include "geo/geo_layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned char *table;
static size_t table_bytes;

static struct address
text_address(const char *text)
{
    struct address address;

    MUST(address_parse(span_of(text), &address, NULL) == 0);
    return address;
}

static void
add_range(struct geo_build *build, const char *first, const char *last, uint32_t asn)
{
    struct address from = text_address(first);
    struct address to = text_address(last);

    MUST(geo_build_asn_range(build, &from, &to, asn, NULL) == 0);
}

static void
read_back(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    MUST(fd >= 0 && fstat(fd, &st) == 0);
    table_bytes = (size_t)st.st_size;
    table = malloc(table_bytes);
    MUST(table != NULL && read(fd, table, table_bytes) == (ssize_t)table_bytes);
    (void)close(fd);
}

/* A small world with ranges of all sizes. */
static void
make_table(void)
{
    char path[] = "/tmp/comity-fuzz-XXXXXX";
    struct geo_build *build = geo_build_new();
    int fd = mkstemp(path);

    MUST(build != NULL && fd >= 0);
    (void)close(fd);
    add_range(build, "192.0.2.0", "192.0.2.6", 64496);
    add_range(build, "192.0.2.9", "192.0.2.255", 64497);
    add_range(build, "198.51.0.0", "198.51.255.255", 64498);
    add_range(build, "2001:db8::", "2001:db8::7", 64499);
    add_range(build, "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", 64500);
    MUST(geo_build_system(build, 64496, economy_find(SPAN("NO")), SPAN("EXAMPLE"), NULL) == 0);
    MUST(geo_build_write(build, SPAN("none"), 0, path, NULL) == 0);
    geo_build_free(build);
    read_back(path);
    (void)unlink(path);
}

static void
ask(const struct geo *geo)
{
    static const char *const asked[] = {"192.0.2.7", "192.0.2.200", "198.51.100.1",
        "255.255.255.255", "0.0.0.0", "2001:db8::3", "2001:db8:1::1",
        "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct address address = text_address(asked[i]);
        struct geo_answer one = geo_find(geo, &address);
        struct geo_answer many;
        geo_find6(geo, &address, 1, &many);
        MUST(one.asn == many.asn && one.bits == many.bits);
        (void)geo_asn_name(geo, one.asn);
    }
    (void)geo_sources(geo);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (table == NULL)
        make_table();
    unsigned char *copy = malloc(table_bytes);
    struct geo_header *header = (struct geo_header *)(void *)copy;
    size_t behind = offsetof(struct geo_header, checksum) + sizeof header->checksum;
    char path[FILE_PATH_BYTES];
    struct geo *geo;

    MUST(copy != NULL);
    memcpy(copy, table, table_bytes);
    for (size_t i = 0; i + 4 <= size && i < 400; i += 4) {
        /* Half of the changes hit the header and the sections behind the plain nodes. */
        size_t at = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
        at = data[i] < 128 ? at % 512 : table_bytes - 1 - at % (table_bytes / 8);
        copy[at] = data[i + 3];
    }
    header->checksum = hash_bytes(copy + behind, table_bytes - behind, 0);
    int fd = file_of(copy, table_bytes, path);
    if (geo_open(path, &geo, NULL) == 0) {
        ask(geo);
        geo_close(geo);
    }
    (void)close(fd);
    free(copy);
    return 0;
}
