#include "edge/front.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/api.h"
#include "edge/console.h"
#include "edge/health.h"
#include "edge/intake.h"
#include "edge/log.h"
#include "edge/misp.h"
#include "edge/roles.h"
#include "edge/taxii.h"
#include "edge/witness.h"
#include "sys/clock.h"

#include <malloc.h>
#include <stdlib.h>

enum { FAMILIES_MAX = 16 };

/* What is served at DOOR: the first of these that has a path serves it. */
static const struct route_family *const *
families_of(enum door door)
{
    static const struct route_family *families[FAMILIES_MAX];
    size_t n = 0;

    families[n++] = &health_family;
    families[n++] = &log_family;
    if (door == DOOR_PARTNERS)
        families[n++] = &witness_family;
    if (api_family(door) != NULL)
        families[n++] = api_family(door);
    if (door == DOOR_OPERATORS) {
        families[n++] = &console_files_family;
        families[n++] = &console_family;
    }
    if (door != DOOR_LOCAL) {
        families[n++] = &taxii_discovery_family;
        families[n++] = &taxii_root_family;
        families[n++] = &misp_family;
        families[n++] = &cerebrate_organisations_family;
        families[n++] = &cerebrate_groups_family;
    }
    families[n] = NULL;
    return families;
}

struct front_role {
    const struct role_start *start;
    struct front *front;
    struct intake_readers readers;
    struct loop_timer rest;
};

enum {
    MS_A_SECOND = 1000,
    BODY_BYTES_A_DEADLINE = 100 * 1024,
    REST_US = 10 * 1000 * 1000, /* what nobody asked for so long is given back */
    SPARE_BYTES = 8 << 20,      /* of memory, for the next answers */
};

static struct tls_material
material_of(const struct role_start *start)
{
    /* Browsers ask their users for a certificate as soon as a server does. */
    return (struct tls_material){.certificate = start->tls_certificate,
        .key = start->tls_key,
        .client_ca = start->tls_client_ca,
        .client_any = start->door == DOOR_PARTNERS && start->tls_client_ca.n == 0};
}

static struct front_settings
settings_of(const struct role_start *start)
{
    const struct conf *conf = start->conf;
    uint32_t deadline_s = (uint32_t)(conf_number(conf, CONF_HTTP_DEADLINE) / MS_A_SECOND);
    bool local = start->door == DOOR_LOCAL;
    struct guard_limits limits = guard_usual;

    limits.connections = (uint32_t)conf_number(conf, CONF_HTTP_CONNECTIONS);
    limits.connections_per_address =
        local ? 0 : (uint32_t)conf_number(conf, CONF_HTTP_CONNECTIONS_PER_ADDRESS);
    limits.head_s = limits.grace_s = deadline_s;
    limits.idle_s = (uint32_t)(conf_number(conf, CONF_HTTP_IDLE) / MS_A_SECOND);
    limits.rate = BODY_BYTES_A_DEADLINE / deadline_s;
    limits.head_bytes = (uint32_t)conf_number(conf, CONF_HTTP_HEADER_BYTES);
    return (struct front_settings){.door = start->door,
        .listen_fd = start->listen_fd,
        .families = families_of(start->door),
        .limits = limits,
        /* Who may open the local door is the operator. */
        .stream_max = local ? 0 : (uint64_t)conf_number(conf, CONF_HTTP_BODY_BYTES),
        .sandboxed = start->sandbox,
        .no_metrics = !local && !conf_bool(conf, CONF_METRICS)};
}

static int
set_taxii(const struct conf *conf, struct err *err)
{
    const struct taxii_settings settings = {.title = conf_text(conf, CONF_TAXII_TITLE),
        .description = conf_text(conf, CONF_TAXII_DESCRIPTION),
        .contact = conf_text(conf, CONF_TAXII_CONTACT),
        .max_content_length = (uint32_t)conf_number(conf, CONF_TAXII_MAX_CONTENT_LENGTH),
        .page_max = (uint32_t)conf_number(conf, CONF_TAXII_PAGE_MAX),
        .cache_bytes = (size_t)conf_number(conf, CONF_FRONT_CACHE)};

    return taxii_set(&settings, err);
}

static void
on_settings(void *ctx)
{
    struct front_role *role = ctx;
    const struct front_settings settings = settings_of(role->start);
    const struct tls_material material = material_of(role->start);
    struct err err = {0};

    front_limits(role->front, &settings);
    if (set_taxii(role->start->conf, &err) != 0)
        log_warning_of("settings of TAXII not taken", &err);
    if (material.certificate.n > 0 && front_certificate(role->front, &material, &err) != 0)
        log_warning_of("certificate not taken", &err);
}

static void
on_pair(void *ctx, enum door door, int fd)
{
    struct front_role *role = ctx;
    struct err err = {0};

    (void)door;
    if (front_core(role->front, fd, &err) != 0)
        log_error_of("core cannot be reached", &err);
}

static void
on_stopped(void *ctx)
{
    struct front_role *role = ctx;

    loop_stop(role->start->loop);
}

static void
on_stop(void *ctx)
{
    struct front_role *role = ctx;
    int64_t patience_us = conf_number(role->start->conf, CONF_STOP_DEADLINE) * MS_A_SECOND;

    /* Before the parent's patience ends. */
    front_stop(role->front, patience_us / 4 * 3, on_stopped, role);
}

static void
on_rest(void *ctx)
{
    struct front_role *role = ctx;
    struct err err = {0};

    taxii_rest();
    misp_rest();
    mem_give_back();
    if (loop_timer_set(role->start->loop, &role->rest, clock_ticks_us() + REST_US, &err) != 0)
        log_warning_of("memory is not given back", &err);
}

static int
open_front(struct front_role *role, struct err *err)
{
    const struct role_start *start = role->start;
    struct front_settings settings = settings_of(start);
    const struct tls_material material = material_of(start);

    if (material.certificate.n > 0)
        settings.tls = &material;
    settings.readers = &role->readers;
    int rc = intake_readers_load(&role->readers, conf_text(start->conf, CONF_SHARE).p, err);
    if (rc == 0)
        rc = set_taxii(start->conf, err);
    if (rc == 0)
        rc = front_new(start->loop, &settings, &role->front, err);
    int pair = start->pairs[start->door]; /* -1: core is away, too, and on_pair will be called */
    return rc != 0 || pair < 0 ? rc : front_core(role->front, pair, err);
}

/* An answer's memory is the next one's: not given back and asked for again between them. What
 * starting took is. */
static void
keep_spare(void)
{
    mem_give_back();
    (void)mallopt(M_TRIM_THRESHOLD, SPARE_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, SPARE_BYTES);
}

int
front_main(const struct role_start *start)
{
    static const struct sandbox_paths none = {0};
    struct front_role role = {.start = start};
    struct err err = {0};

    role_listen(start->role,
        &(struct role_events){
            .ctx = &role, .settings = on_settings, .pair = on_pair, .stop = on_stop});
    role.rest = (struct loop_timer){.due = on_rest, .ctx = &role};
    on_rest(&role);
    int rc = open_front(&role, &err);
    if (rc == 0)
        rc = role_wall(start, &none, &err);
    if (rc == 0)
        rc = role_ready(start->role, &err);
    keep_spare();
    if (rc == 0)
        rc = loop_run(start->loop, &err);
    front_free(role.front);
    intake_readers_free(&role.readers);
    if (rc == 0)
        return EXIT_SUCCESS;
    log_error_of("role failed", &err);
    return EXIT_FAILURE;
}
