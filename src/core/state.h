/* state.h: what does core hold while it runs?
 *
 * For the files of core/ alone. One thread uses it (auth's worker sees none of it).
 */
#ifndef COMITY_CORE_STATE_H
#define COMITY_CORE_STATE_H

#include "core/core.h"
#include "core/id.h"
#include "core/pace.h"
#include "core/roles.h"
#include "flow/attribute.h"
#include "flow/basis.h"
#include "sys/loop.h"

/* Texts must outlive core, or be replaced with all others (core_settings). */
struct core_options {
    const char *home; /* the data folder */
    const char *share_dir;
    const char *teams_path;
    const char *geo_path;   /* NULL: no address table */
    const char *feeds_path; /* NULL: the shipped ones */
    const char *agreements; /* NULL: the register's and the shipped baseline */
    const char *team;       /* this team's id; NULL: the register's */
    bool sandboxed;
    bool courier;           /* what is for other nodes is sent */
    uint64_t window;        /* reports among which duplicates are looked for */
    uint64_t outbox_max;    /* reports decided and not yet written out; more are refused */
    uint32_t batch_reports; /* a batch that has so many is sealed */
    int64_t batch_us;       /* or when its first report has waited so long */
    bool watch;             /* look into incoming/ */
    int64_t watch_interval_us;
    uint32_t login_rate;     /* wrong attempts a minute */
    int64_t keep_reports_us; /* 0: for ever; the same below */
    int64_t keep_pieces_us;
    int64_t keep_receipts_us;
    uint64_t store_cache;    /* bytes; 0: as the store thinks right */
    int64_t session_us;      /* a session ends so long after it began, */
    const struct conf *conf; /* all settings, to be told; NULL: there are none */
    struct span door_pin;    /* of the doors' certificate (sys/role.h); n 0: they show none */
    int64_t link_give_up_us; /* a link that fails so long is lost */
    int64_t session_idle_us; /* or after so long without a question */
};

/* What the events of a door's channel are told with. */
struct door_end {
    struct core *core;
    enum door door;
};

struct agreements_in;
struct auth;
struct intake;
struct release;
struct logbook;
struct receipts;
struct partner_keys;
struct witness;
struct incoming;
struct collections;
struct events;
struct links;
struct reports;

/* Counts of days that will not change any more, so that metrics read two days and not all. */
enum { COUNTED_NUMBERS = 24 };
struct counted {
    uint32_t until_day;
    uint64_t totals[COUNTED_NUMBERS]; /* by number of stats.def */
};

/* What was so old that it was removed, since core started. */
struct retained {
    uint64_t pieces; /* batches of reports, and pieces of collections */
    uint64_t receipts;
    int64_t last_us;   /* 0: nothing was */
    bool clock_jumped; /* so nothing is removed for a day */
};

struct core {
    struct core_options options;
    struct loop *loop;
    struct store *store;
    struct channel *channels[DOOR_COUNT]; /* NULL: nobody is there */
    uint32_t generations[DOOR_COUNT];     /* how many channels this door has lost */
    struct door_end ends[DOOR_COUNT];

    /* What is judged by; replaced as a whole when settings are read anew (core/knowledge.c). */
    struct geo *geo; /* NULL: no address table */
    struct roster *roster;
    struct basis basis;
    uint32_t *team_numbers;  /* the store's numbers by roster index, 0: not asked for yet; one more
                                for BASIS_COMMUNITY */
    struct team_id team;     /* this node's own; nobody: it is not in the directory */
    uint32_t knowledge;      /* how often it was read */
    uint64_t register_state; /* a hash of what the register's files were then */

    char node_id[ID_TEXT_BYTES]; /* a UUID, for life */
    struct id_key id_key;
    struct arena *arena; /* one question's */
    struct waiting *waiting;
    struct auth *auth;
    struct intake *intake;
    struct release *release;
    struct logbook *logbook;           /* core/logbook.h */
    struct partner_keys *partner_keys; /* core/partner_keys.h */
    struct receipts *receipts;         /* core/receipts.h */
    struct witness *witness;           /* core/witness.h */
    struct incoming *incoming;
    struct agreements_in *agreements_in; /* core/agreements_in.h; NULL: no request tells of any */
    struct mailing *mailing;             /* core/mail.h's */
    struct collections *collections;     /* core/collections.h's */
    struct links *links;                 /* core/links.h's */
    struct events *events;               /* core/node.h's */
    struct simulation *simulation;       /* core/agreement_simulate.h's */
    struct reports *reports;             /* core/reports.h's */
    struct counted counted;              /* core/node.c's */
    struct roles roles;                  /* core/roles.h */
    struct retained retained;            /* core/role.c's */
    int64_t started_us;
    uint64_t commits;
    uint64_t commits_failed;
    int64_t renew_at_us;     /* ticks: when what could not be read is tried again */
    struct keyring *ring;    /* core/cards.c's: the keys that are known, as of ring_knowledge */
    uint64_t agreement_keys; /* core/agreements_in.c's: a hash of the keys that it judged by */
    struct pace cards_refused;
    uint64_t card_differs; /* core/cards_own.c's: what was told of the own card; 0: nothing */
    uint64_t cards_basis;  /* core/cards.c's: a hash of what cards that wait were judged by */
    struct err stale;      /* why what is judged by cannot be read anew; code 0: it is what holds */
    uint32_t ring_knowledge; /* 0: not asked for yet */
    bool begun;              /* store_begin was called and nothing was committed since */
    bool stopping;
};

/* ---- core.c ---- */

/* An empty core over an open store; tests make theirs the same way. OPTIONS' texts must outlive it.
 * Owner: the caller, until core_close, also after an error. */
MUST_USE int core_open(
    struct core *core, struct loop *loop, const struct core_options *options, struct err *err);
void core_close(struct core *core);
/* FD leads to DOOR from now on; it becomes core's. */
MUST_USE int core_connect(struct core *core, enum door door, int fd, struct err *err);

/* What the parent says (sys/role.h): settings were read anew; finish, and end. */
MUST_USE int core_settings(struct core *core, struct err *err);
void core_stop(struct core *core);

/* Before anything is changed in the store: opens the transaction of this round. Look first, then
 * change: what a function that fails has changed is committed with the rest, unless its error took
 * the transaction with it. */
MUST_USE int core_begin(struct core *core, struct err *err);
/* Commit, and answer everybody who waits for it. An error was told to them already. */
MUST_USE int core_commit(struct core *core, struct err *err);

/* Nothing since core_begin is kept, because WHY: everybody who waits is refused. */
void core_lose(struct core *core, const struct err *why);

/* Say TYPE (SAID) to who asked under TAG. ERR_BUSY, ERR_IO: nobody hears it. */
MUST_USE int core_say(struct core *core, enum door door, uint16_t type, uint64_t tag,
    struct span body, bool more, struct err *err);
void core_refuse(struct core *core, enum door door, uint64_t tag, const struct err *why);
/* A warning in the operator's log. */
void core_tell(const struct core *core, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* MESSAGE is asked again: by ASKER (NULL: who asks is found out anew), with RESULT, which may be
 * NULL (core/auth.h). */
void core_ask_again(struct core *core, enum door door, const struct channel_message *message,
    const struct asker *asker, const struct auth_result *result);

/* ---- knowledge.c: directory, agreements, feeds ---- */

/* Read all of it; what was there stays when that fails. */
MUST_USE int knowledge_read(struct core *core, struct err *err);
void knowledge_free(struct core *core);
/* Read anew if a change that was foretold has come, or the register was changed: asked before each
 * message of reports, so that none is judged by what has ended. While that cannot be done, `stale`
 * says why, and no report is taken in: what holds now is not known. */
void knowledge_renew(struct core *core);
/* The store's number of a team of the roster, or of BASIS_COMMUNITY. */
MUST_USE int knowledge_team_number(
    struct core *core, struct team_id team, uint32_t *number, struct err *err);
/* This node's own, as those see it who do not know it: what the settings or the register say, else
 * the node's id. */
struct span knowledge_own_id(const struct core *core);
/* Its id; lives until the knowledge is read anew. */
struct span knowledge_team_id(const struct core *core, struct team_id team);
static inline struct world
core_world(const struct core *core)
{
    return (struct world){core->geo, core->roster};
}

#endif
