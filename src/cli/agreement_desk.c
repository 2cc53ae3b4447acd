#include "cli/agreement_desk.h"

#include "cli/home.h"
#include "cli/walls.h"
#include "sys/clock.h"

#include <stdio.h>

enum { ARENA_BYTES = 512 * 1024 * 1024 };

const char desk_help[] =
    "  --with PATH          file or folder of agreements that hold beside it (repeatable; "
    "default:\n"
    "                       those of the node's register that all parties signed, and the shipped\n"
    "                       baseline); one of the same id gives way\n"
    "  --teams PATH         team directory\n"
    "  --feeds FILE         providers' conditions (default: the shipped ones)\n"
    "  --at TIME            as of this time (default: now)\n"
    "  --no-sandbox         work even where the kernel has no sandbox\n";

static int
add_path(const char **paths, size_t *count, const char *path, struct err *err)
{
    if (*count == DESK_PATHS_MAX)
        return err_set(err, ERR_USAGE, "at most %d paths; name a folder", DESK_PATHS_MAX);
    paths[(*count)++] = path;
    return 1;
}

int
desk_option(struct desk_options *options, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i];
    const char *with = NULL;

    if (strcmp(word, "-") == 0)
        word = "/dev/stdin";
    if (word[0] != '-')
        return add_path(options->files, &options->file_count, word, err);
    if (strcmp(word, "--json") == 0)
        return options->json = true;
    if (strcmp(word, "--no-sandbox") == 0) {
        options->sandbox = false;
        return 1;
    }
    int rc = setup_option(argc, argv, i, "with", &with, err);
    if (rc > 0)
        return add_path(options->with, &options->with_count, with, err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, "teams", &options->teams_path, err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, "feeds", &options->feeds_path, err);
    return rc != 0 ? rc : setup_option(argc, argv, i, "at", &options->at, err);
}

static void
bad_card(void *ctx, const char *file, const struct err *why)
{
    (void)ctx;
    (void)fprintf(stderr, "comity: team card left out: %s: %s%s%s\n", file, why->field,
        why->field[0] != '\0' ? " " : "", why->msg);
}

static const char *
shipped(struct desk *desk, const char *name, struct err *err)
{
    char *path = arena_alloc(desk->arena, SETUP_PATH_BYTES + 32);

    if (path == NULL)
        (void)arena_full(err, "a path");
    else
        (void)snprintf(path, SETUP_PATH_BYTES + 32, "%s/%s", desk->share_dir, name);
    return path;
}

/* What the node judges by today, as `route` does. */
static int
load_register(struct desk *desk, struct agreement_set *out, bool *has_baseline, struct err *err)
{
    char home[SETUP_PATH_BYTES];
    bool there = false;
    struct err why;

    if (home_path(NULL, home, &why) != 0)
        return 0; /* no home, no register */
    int rc = registry_exists(home, &there, err);
    if (rc == 0 && there)
        rc = registry_open(home, REGISTRY_READ, desk->roster, &desk->registry, err);
    return rc == 0 && there
        ? registry_in_force(desk->registry, desk->arena, desk->at_us, out, has_baseline, err)
        : rc;
}

static int
load_with(struct desk *desk, struct err *err)
{
    struct desk_options *o = &desk->options;
    struct agreement_set loaded = {NULL, 0};
    struct agreement_set kept = {NULL, 0};
    struct feeds feeds = {0};
    const char *baseline = shipped(desk, "agreements", err);
    const char *path = o->feeds_path != NULL ? o->feeds_path : shipped(desk, "feeds.json", err);

    if (baseline == NULL || path == NULL)
        return ERR_LIMIT;
    bool named = o->with_count > 0;
    bool has_baseline = false;
    int rc = named ? 0 : load_register(desk, &kept, &has_baseline, err);
    if (!named && !has_baseline)
        o->with[o->with_count++] = baseline;
    if (rc == 0)
        rc = feeds_load(desk->arena, path, &feeds, err);
    if (rc == 0 && o->with_count > 0)
        rc = agreements_load(desk->arena, o->with, o->with_count, &loaded, err);
    if (rc == 0)
        rc = agreements_join(desk->arena, &kept, &loaded, &loaded, err);
    if (rc == 0)
        rc = agreements_join(desk->arena, &loaded, &feeds.conditions, &desk->with, err);
    for (size_t i = 0; rc == 0 && i < desk->with.count; i++)
        if (desk->with.agreements[i].broken)
            (void)fprintf(stderr, "comity: agreement %.*s: what it may cover is withheld: %.*s\n",
                SPAN_ARGS(desk->with.agreements[i].file), SPAN_ARGS(desk->with.agreements[i].why));
    return rc;
}

int
desk_open(struct desk *desk, const struct desk_options *options, struct err *err)
{
    char teams[SETUP_PATH_BYTES];

    *desk = (struct desk){
        .options = *options, .arena = arena_new(ARENA_BYTES), .at_us = clock_now_us()};
    if (desk->arena == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to begin");
    int rc = setup_time("at", options->at, &desk->at_us, err);
    if (rc == 0)
        rc = setup_share_dir(desk->share_dir, err);
    if (rc == 0)
        rc = setup_teams_path(options->teams_path, teams, err);
    if (rc == 0)
        rc = home_roster(NULL, teams, bad_card, NULL, &desk->roster, err);
    if (rc == 0)
        rc = load_with(desk, err);
    const struct walls walls = {.wanted = options->sandbox,
        .files = desk->options.files,
        .file_count = desk->options.file_count};
    return rc == 0 ? walls_enter(&walls, err) : rc;
}

void
desk_close(struct desk *desk)
{
    registry_close(desk->registry);
    roster_free(desk->roster);
    arena_free(desk->arena);
}
