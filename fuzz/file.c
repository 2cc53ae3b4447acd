#include "file.h"

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

int
file_of(const void *bytes, size_t size, char path[FILE_PATH_BYTES])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    MUST(fd >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t n = write(fd, (const char *)bytes + at, size - at);
        MUST(n > 0);
        at += (size_t)n;
    }
    (void)snprintf(path, FILE_PATH_BYTES, "/proc/self/fd/%d", fd);
    return fd;
}
