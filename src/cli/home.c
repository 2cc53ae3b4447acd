#include "cli/home.h"

#include "flow/cards.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *
set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

int
home_path(const char *given, char out[SETUP_PATH_BYTES], struct err *err)
{
    const char *folder = given != NULL ? given : set("COMITY_HOME");
    const char *below = "";

    if (folder == NULL && geteuid() == 0)
        folder = "/var/lib/comity";
    if (folder == NULL) {
        folder = set("XDG_DATA_HOME");
        below = "/comity";
    }
    if (folder == NULL) {
        folder = set("HOME");
        below = "/.local/share/comity";
    }
    if (folder == NULL || folder[0] == '\0')
        return err_set(err, ERR_NOT_FOUND,
            "nothing says where this team's register is; name its folder with --home or "
            "COMITY_HOME");
    int n = snprintf(out, SETUP_PATH_BYTES, "%s%s", folder, below);
    return n > 0 && n < SETUP_PATH_BYTES
        ? 0
        : err_set(err, ERR_LIMIT, "the path of the register's folder is too long");
}

void
home_config(const char *home, char out[SETUP_PATH_BYTES])
{
    static const char common[] = "/etc/comity/comity.conf";
    int n = home == NULL ? -1 : snprintf(out, SETUP_PATH_BYTES, "%s/comity.conf", home);

    if (n > 0 && n < SETUP_PATH_BYTES && access(out, F_OK) == 0)
        return;
    (void)snprintf(out, SETUP_PATH_BYTES, "%s", access(common, F_OK) == 0 ? common : "");
}

int
home_roster(const char *home, const char *path, roster_reject *reject, void *ctx,
    struct roster **out, struct err *err)
{
    char folder[SETUP_PATH_BYTES];
    char cards[CARDS_PATH_BYTES];
    struct err why;
    int rc = home_path(home, folder, &why);

    if (rc != 0) /* no home, no cards */
        return roster_load(path, NULL, reject, ctx, out, err);
    rc = cards_folder(folder, cards, err);
    return rc == 0 ? roster_load(path, cards, reject, ctx, out, err) : rc;
}
