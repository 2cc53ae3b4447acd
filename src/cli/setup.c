#include "cli/setup.h"

#include "base/time.h"
#include "cli/cli.h"
#include "cli/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file that every share folder has, so that /usr/share is not mistaken for ours. */
static const char marker[] = "economies.csv";

static bool
join(char out[SETUP_PATH_BYTES], const char *folder, const char *name)
{
    int n = snprintf(out, SETUP_PATH_BYTES, "%s/%s", folder, name);

    return n > 0 && n < SETUP_PATH_BYTES;
}

static bool
readable(const char *path)
{
    return access(path, R_OK) == 0;
}

/* The folder of the running binary; "" if the kernel does not say. */
static void
binary_folder(char out[SETUP_PATH_BYTES])
{
    ssize_t n = readlink("/proc/self/exe", out, SETUP_PATH_BYTES - 1);
    char *slash;

    out[n > 0 ? n : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash != NULL)
        *slash = '\0';
}

static bool
is_share(const char *folder)
{
    char path[SETUP_PATH_BYTES];

    return join(path, folder, marker) && readable(path);
}

/* In a folder that everybody may write, anybody may have put what lies beside the binary. */
static bool
is_guarded(const char *folder)
{
    struct stat about;

    return stat(folder, &about) == 0 && S_ISDIR(about.st_mode) && (about.st_mode & S_IWOTH) == 0;
}

/* The source tree's own, so that no other folder above a build folder is taken for it. */
static bool
is_source_tree(const char *folder)
{
    static const char begin[] = "project('comity'";
    char path[SETUP_PATH_BYTES];
    char text[sizeof begin] = "";
    FILE *file = join(path, folder, "meson.build") ? fopen(path, "re") : NULL;

    if (file == NULL)
        return false;
    bool same = fgets(text, sizeof text, file) != NULL && strcmp(text, begin) == 0;
    (void)fclose(file);
    return same;
}

/* TREE/BUILD/comity has TREE/share; PREFIX/bin/comity has PREFIX/share/comity. */
static bool
near_binary(char out[SETUP_PATH_BYTES])
{
    char folder[SETUP_PATH_BYTES];
    char share[SETUP_PATH_BYTES];

    binary_folder(folder);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    bool bin = strcmp(slash, "/bin") == 0;
    slash[slash == folder] = '\0';
    if (!join(share, folder, "share") || !is_guarded(folder) || !is_guarded(share))
        return false;
    if (is_source_tree(folder) && is_share(share)) {
        (void)snprintf(out, SETUP_PATH_BYTES, "%s", share);
        return true;
    }
    return bin && join(out, share, "comity") && is_guarded(out) && is_share(out);
}

int
setup_share_dir(char out[SETUP_PATH_BYTES], struct err *err)
{
    const char *given = getenv("COMITY_SHARE");

    if (given != NULL && given[0] != '\0') {
        (void)snprintf(out, SETUP_PATH_BYTES, "%s", given);
        if (is_share(out))
            return 0;
        return err_set(err, ERR_NOT_FOUND,
            "COMITY_SHARE is \"%s\", which holds no %s; it should be Comity's share folder", given,
            marker);
    }
    if (near_binary(out))
        return 0;
    (void)snprintf(out, SETUP_PATH_BYTES, "%s", COMITY_DATADIR);
    if (is_share(out))
        return 0;
    return err_set(err, ERR_NOT_FOUND,
        "no share folder beside the binary (or one that everybody may write) or at %s; set "
        "COMITY_SHARE to the one of the source tree",
        COMITY_DATADIR);
}

int
setup_absolute(const char *path, char out[SETUP_PATH_BYTES], struct err *err)
{
    char here[SETUP_PATH_BYTES] = "";
    bool relative = path[0] != '/';

    if (!relative || getcwd(here, sizeof here) != NULL) {
        int n = snprintf(out, SETUP_PATH_BYTES, "%s%s%s", here, relative ? "/" : "", path);
        if (n > 0 && n < SETUP_PATH_BYTES)
            return 0;
    }
    return err_set(err, ERR_LIMIT, "this path is too long: %s", path);
}

/* A path that was named must be readable. */
static int
named(const char *path, const char *what, char out[SETUP_PATH_BYTES], struct err *err)
{
    int n = snprintf(out, SETUP_PATH_BYTES, "%s", path);

    if (n > 0 && n < SETUP_PATH_BYTES && readable(path))
        return 0;
    return err_set(err, ERR_NOT_FOUND, "%s \"%s\" cannot be read", what, path);
}

int
setup_world_path(const char *given, char out[SETUP_PATH_BYTES], struct err *err)
{
    const char *env = getenv("COMITY_GEO");
    char folder[SETUP_PATH_BYTES];
    struct err ignored;

    if (given != NULL)
        return named(given, "the address table", out, err);
    if (env != NULL && env[0] != '\0')
        return named(env, "the address table that COMITY_GEO names,", out, err);
    binary_folder(folder);
    if (is_guarded(folder) && join(out, folder, "world.geo") && readable(out))
        return 0;
    if (setup_share_dir(folder, &ignored) == 0 && join(out, folder, "world.geo") && readable(out))
        return 0;
    out[0] = '\0';
    return err_set(err, ERR_NOT_FOUND,
        "no address table was found; make one with `comity geo build` and name it with --geo or "
        "COMITY_GEO");
}

int
setup_teams_path(const char *given, char out[SETUP_PATH_BYTES], struct err *err)
{
    const char *env = getenv("COMITY_TEAMS");
    char share[SETUP_PATH_BYTES];
    int rc;

    if (given != NULL)
        return named(given, "the team directory", out, err);
    if (env != NULL && env[0] != '\0')
        return named(env, "the team directory that COMITY_TEAMS names,", out, err);
    rc = setup_share_dir(share, err);
    if (rc != 0)
        return rc;
    if (!join(out, share, "teams"))
        return err_set(err, ERR_LIMIT, "the path of the share folder is too long");
    return 0;
}

static void
bad_card(void *ctx, const char *file, const struct err *why)
{
    size_t *count = ctx;

    (*count)++;
    (void)fprintf(stderr, "comity: team card left out: %s: %s%s%s\n", file, why->field,
        why->field[0] != '\0' ? " " : "", why->msg);
}

static int
open_world(struct setup *setup, const struct setup_options *options, struct err *err)
{
    const char *env = getenv("COMITY_GEO");
    bool must = options->geo_path != NULL || (env != NULL && env[0] != '\0');
    int rc = setup_world_path(options->geo_path, setup->world_path, err);

    if (rc == ERR_NOT_FOUND && !must) {
        (void)fprintf(stderr, "comity: %s\n", err->msg);
        setup->world_path[0] = '\0';
        return 0;
    }
    if (rc != 0)
        return rc;
    return geo_open(setup->world_path, &setup->geo, err);
}

int
setup_open(struct setup *setup, const struct setup_options *options, struct err *err)
{
    int rc;

    *setup = (struct setup){0};
    rc = setup_share_dir(setup->share_dir, err);
    if (rc == 0)
        rc = setup_teams_path(options->teams_path, setup->teams_path, err);
    if (rc == 0)
        rc = home_roster(NULL, setup->teams_path, bad_card, &setup->bad_cards, &setup->roster, err);
    if (rc == 0)
        rc = open_world(setup, options, err);
    return rc;
}

void
setup_close(struct setup *setup)
{
    roster_free(setup->roster);
    geo_close(setup->geo);
    *setup = (struct setup){0};
}

int
setup_print(const struct buf *out, const char *what, struct err *err)
{
    int rc = buf_check(out, what, err);

    if (rc == 0
        && ((out->n > 0 && fwrite(out->p, 1, out->n, stdout) != out->n) || fflush(stdout) != 0))
        rc = err_set(err, ERR_IO, "standard output cannot be written");
    return rc;
}

int
setup_fail(const struct err *err)
{
    (void)fputs("comity: ", stderr);
    if (err->line > 0)
        (void)fprintf(stderr, "line %llu: ", (unsigned long long)err->line);
    if (err->field[0] != '\0')
        (void)fprintf(stderr, "%s: ", err->field);
    (void)fprintf(stderr, "%s\n", err->msg);
    return err->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

int
setup_time(const char *name, const char *text, int64_t *us, struct err *err)
{
    struct err why;

    if (text == NULL || time_parse(span_of(text), us, &why) == 0)
        return 0;
    return err_set(err, ERR_USAGE, "--%s %s: %s", name, text, why.msg);
}

int
setup_option(int argc, char **argv, int *i, const char *name, const char **value, struct err *err)
{
    const char *argument = argv[*i];
    size_t n = strlen(name);

    if (strncmp(argument, "--", 2) != 0 || strncmp(argument + 2, name, n) != 0)
        return 0;
    if (argument[2 + n] == '=') {
        *value = argument + 2 + n + 1;
        return 1;
    }
    if (argument[2 + n] != '\0')
        return 0;
    if (*i + 1 >= argc)
        return err_set(err, ERR_USAGE, "--%s needs a value", name);
    *value = argv[++*i];
    return 1;
}

bool
setup_asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc && i <= 2; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int
setup_valued(int argc, char **argv, int *i, unsigned takes, const struct setup_valued *options,
    size_t count, struct err *err)
{
    for (size_t k = 0; k < count; k++) {
        if (options[k].bits != 0 && (takes & options[k].bits) == 0)
            continue;
        int rc = setup_option(argc, argv, i, options[k].name, options[k].value, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}
