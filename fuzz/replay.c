/* Runs a target over the files of a folder, where libFuzzer is not linked.
 * usage: replay_NAME CORPUS-FOLDER */
#include "fuzz.h"

#include <dirent.h>

static int
replay(const char *folder, const char *name)
{
    char path[4096];
    size_t size, room = (size_t)8 << 20;
    uint8_t *data = malloc(room);
    FILE *in;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    in = fopen(path, "rb");
    MUST(data != NULL && in != NULL);
    size = fread(data, 1, room, in);
    (void)fclose(in);
    /* A copy of the exact size, so that a sanitizer sees one byte too many. */
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    MUST(exact != NULL);
    for (size_t i = 0; i < size; i++)
        exact[i] = data[i];
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

int
main(int argc, char **argv)
{
    int count = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

    if (folder == NULL) {
        (void)fprintf(stderr, "usage: replay CORPUS-FOLDER\n");
        return 2;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            count += replay(argv[1], entry->d_name);
    (void)closedir(folder);
    (void)printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
