#include "cli/walls.h"

#include "sys/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
walls_enter(const struct walls *walls, struct err *err)
{
    if (!walls->wanted) {
        (void)fputs("comity: --no-sandbox: hostile input is read without walls\n", stderr);
        return 0;
    }
    const char **read = calloc(walls->file_count + 2, sizeof *read);
    size_t n = 0;
    if (read == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu files", walls->file_count);
    for (size_t i = 0; i < walls->file_count; i++)
        if (strcmp(walls->files[i], "-") != 0 && access(walls->files[i], F_OK) == 0)
            read[n++] = walls->files[i];
    if (walls->share_dir != NULL)
        read[n++] = walls->share_dir;
    if (walls->mapping_path != NULL && access(walls->mapping_path, F_OK) == 0)
        read[n++] = walls->mapping_path;
    struct sandbox_paths paths = {
        .read = read, .read_count = n, .write = walls->write, .write_count = walls->write_count};
    int rc = sandbox_enter(&paths, err);
    free(read);
    return rc;
}
