/* A front with the test routes, for tests/system/http_door.py.
 *
 *   door [CERTIFICATE KEY (CA | any | none)] [LIMIT=NUMBER ...]
 *
 * Prints its port. Lines on its input: "certificate CERTIFICATE KEY (CA | any | none)", answered
 * with "taken" or "refused"; "core N", an enum host_core. Stops at the end of its input. */
#include "door_host.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEM_BYTES = 64 * 1024 };

struct pems {
    char texts[3][PEM_BYTES];
    struct tls_material material;
};

static struct span
read_file(const char *path, char *to)
{
    FILE *file = fopen(path, "r");

    if (file == NULL)
        exit(2);
    size_t n = fread(to, 1, PEM_BYTES - 1, file);
    (void)fclose(file);
    return (struct span){to, n};
}

static void
read_pems(struct pems *pems, const char *certificate, const char *key, const char *trust)
{
    pems->material = (struct tls_material){.certificate = read_file(certificate, pems->texts[0]),
        .key = read_file(key, pems->texts[1]),
        .client_any = strcmp(trust, "any") == 0};
    if (strcmp(trust, "any") != 0 && strcmp(trust, "none") != 0)
        pems->material.client_ca = read_file(trust, pems->texts[2]);
}

static void
set_limit(struct guard_limits *limits, const char *text)
{
    const struct {
        const char *name;
        uint32_t *value;
    } names[] = {{"connections=", &limits->connections},
        {"connections_per_address=", &limits->connections_per_address},
        {"head_s=", &limits->head_s}, {"idle_s=", &limits->idle_s}, {"grace_s=", &limits->grace_s},
        {"rate=", &limits->rate}, {"head_bytes=", &limits->head_bytes}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(text, names[i].name, strlen(names[i].name)) == 0) {
            *names[i].value = (uint32_t)strtoul(text + strlen(names[i].name), NULL, 10);
            return;
        }
    exit(2);
}

static void
obey(struct host *host, char *line, struct pems *pems)
{
    char word[16];
    char certificate[300];
    char key[300];
    char trust[300];

    if (sscanf(line, "%15s %299s %299s %299s", word, certificate, key, trust) == 4) {
        read_pems(pems, certificate, key, trust);
        (void)puts(host_certificate(host, &pems->material) ? "taken" : "refused");
    } else if (strncmp(line, "core ", 5) == 0) {
        host_core(host, (enum host_core)strtoul(line + 5, NULL, 10));
        (void)puts("done");
    }
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    static struct pems pems;
    struct guard_limits limits = guard_usual;
    struct host host = {0};
    char line[1024];
    int i = 1;

    if (argc > 3 && strchr(argv[1], '=') == NULL) {
        read_pems(&pems, argv[1], argv[2], argv[3]);
        i = 4;
    }
    for (; i < argc; i++)
        set_limit(&limits, argv[i]);
    host_start(&host, -1, &limits, pems.material.key.n > 0 ? &pems.material : NULL);
    (void)printf("%d\n", host.port);
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL)
        obey(&host, line, &pems);
    host_stop(&host);
    return 0;
}
