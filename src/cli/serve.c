#include "cli/serve.h"

#include "cli/cli.h"
#include "cli/home.h"
#include "core/core.h"
#include "edge/roles.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: comity serve [--home FOLDER] [--config FILE] [--no-sandbox] [--OPTION VALUE]...\n\n"
    "Runs this team's node until it is told to stop: doors for the team's people, for other teams\n"
    "and for comity's own commands, the store, and what is sent. Each part is a process of its "
    "own\n"
    "behind walls; one that dies is started again.\n\n"
    "  --home FOLDER    the data folder (default: $COMITY_HOME, /var/lib/comity for root, else\n"
    "                   ~/.local/share/comity); made if it is not there\n"
    "  --config FILE    settings (default: comity.conf in the data folder, else\n"
    "                   /etc/comity/comity.conf); comity.conf(5) has them all\n"
    "  --no-sandbox     if this kernel has no Landlock or seccomp: hostile bytes are then read\n"
    "                   without walls\n"
    "  --OPTION VALUE   any option of comity.conf(5) over the file's, such as\n"
    "                   --listen.operators 127.0.0.1:9443\n\n"
    "SIGHUP reads settings and certificates anew, SIGTERM and SIGINT stop the node when what was\n"
    "begun is finished. What happens is told on standard error.\n";

/* The option at argv[*i]. */
static int
take_option(int argc, char **argv, int *i, struct serve *serve, const char **home, struct err *err)
{
    const char *word = argv[*i];
    enum conf_option option;
    const char *value;
    int rc = setup_option(argc, argv, i, "home", home, err);

    if (rc == 0 && strcmp(word, "--no-sandbox") == 0) {
        serve->no_sandbox = true;
        return 0;
    }
    if (rc == 0) {
        rc = setup_option(argc, argv, i, "config", &value, err);
        if (rc > 0) {
            serve->config_given = true;
            int n = snprintf(serve->config, sizeof serve->config, "%s", value);
            if (n <= 0 || (size_t)n >= sizeof serve->config)
                return err_set(err, ERR_USAGE, "--config needs a file's path");
        }
    }
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (strncmp(word, "--", 2) != 0)
        return err_set(
            err, ERR_USAGE, "\"%s\" is not an option; `comity serve --help` says more", word);
    rc = conf_find((struct span){word + 2, strcspn(word + 2, "=")}, &option, err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, conf_rows[option].name, &value, err);
    if (rc > 0)
        rc = serve_override(serve, option, value, err);
    if (rc < 0)
        err->code = ERR_USAGE;
    return rc < 0 ? rc : 0;
}

static int
fail(const struct serve *serve, const struct err *err)
{
    if (err->line == 0)
        return setup_fail(err);
    (void)fprintf(stderr, "comity: %s:%llu: %s%s%s\n", serve->config, (unsigned long long)err->line,
        err->field, err->field[0] == '\0' ? "" : ": ", err->msg);
    return EXIT_FAILED;
}

static int
run(struct serve *serve, const char *home)
{
    char given[SETUP_PATH_BYTES];
    struct err err = {0};
    int rc = home_path(home, given, &err);

    if (rc == 0)
        rc = setup_absolute(given, serve->home, &err);
    if (rc == 0) {
        if (!serve->config_given)
            home_config(serve->home, serve->config);
        rc = serve_read(serve, &serve->conf, &err);
    }
    if (rc != 0)
        return fail(serve, &err);
    serve->no_sandbox = serve->no_sandbox || !conf_bool(serve->conf, CONF_SANDBOX);
    return serve_run(serve, &err) == 0 ? EXIT_DONE : EXIT_FAILED; /* the log says why */
}

int
cli_serve(int argc, char **argv)
{
    static struct serve serve;
    const char *home = NULL;
    struct err err = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
        if (take_option(argc, argv, &i, &serve, &home, &err) != 0)
            return setup_fail(&err);
    }
    int status = run(&serve, home);
    serve_forget(&serve);
    return status;
}

int
cli_role(int argc, char **argv)
{
    int (*mains[ROLE_KINDS])(const struct role_start *start) = {[ROLE_CORE] = core_main,
        [ROLE_FRONT] = front_main,
        [ROLE_COURIER] = courier_main,
        [ROLE_MAILER] = mailer_main};

    return role_run(argc > 1 ? argv[1] : "", mains);
}
