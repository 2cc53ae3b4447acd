#include "cli/group.h"

#include "base/str.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { KNOWN_BYTES = 1024 };

static int
help(const struct group *group, FILE *out)
{
    (void)fputs(group->before, out);
    for (size_t i = 0; i < group->count; i++)
        (void)fprintf(out, "  %-10s %s\n", group->commands[i].name, group->commands[i].text);
    (void)fputs(group->behind, out);
    return out == stderr ? EXIT_USAGE : EXIT_DONE;
}

int
group_run(const struct group *group, int argc, char **argv)
{
    if (argc < 2)
        return help(group, stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(group, stdout);
    for (size_t i = 0; i < group->count; i++)
        if (strcmp(argv[1], group->commands[i].name) == 0)
            return group->commands[i].run(argc, argv);
    (void)fprintf(stderr, "comity: %s has no command \"%s\"; `comity %s --help` lists them\n",
        group->name, argv[1], group->name);
    return EXIT_USAGE;
}

int
group_find(
    const char *command, const char *const *names, size_t count, const char *word, struct err *err)
{
    struct buf known = buf_new(KNOWN_BYTES);

    if (word == NULL || word[0] == '-')
        return err_set(err, ERR_USAGE, "do what? `comity %s --help` says more", command);
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, names[i]) == 0)
            return (int)i;
    for (size_t i = 0; i < count; i++)
        buf_format(&known, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", names[i]);
    (void)err_set(
        err, ERR_USAGE, "comity %s has %.*s, not \"%s\"", command, (int)known.n, known.p, word);
    buf_free(&known);
    return ERR_USAGE;
}
