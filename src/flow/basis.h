/* basis.h: by which agreements, conditions and secret does this team judge now?
 *
 * What the commands that judge reports and the node load alike: the agreements that were named, or
 * those of the register and the shipped baseline; the feeds' labels and conditions; all of it
 * compiled for the teams of a directory. Immutable once loaded, and replaced as a whole.
 */
#ifndef COMITY_FLOW_BASIS_H
#define COMITY_FLOW_BASIS_H

#include "flow/agreements.h"
#include "flow/decide.h"
#include "flow/feeds.h"
#include "flow/pseudonym.h"
#include "flow/registry.h"
#include "flow/roster.h"
#include "model/extra.h"

/* Recipient that is no team: what everybody may read. Only clauses that name it cover it. */
#define BASIS_COMMUNITY "community"

struct basis_options {
    const struct roster *roster;
    const char *share_dir;
    const char *home;              /* whose register counts; NULL: none */
    const char *const *agreements; /* files or folders; 0: the register's and the shipped
                                      baseline's, unless the register has one */
    size_t agreement_count;
    const char *feeds_path;  /* NULL: the shipped ones */
    const char *secret_path; /* NULL: none, so what is to be pseudonymised is generalised */
    enum tlp default_tlp;    /* TLP_UNKNOWN: as the feeds file says */
    bool community;          /* the recipient after the directory's last is BASIS_COMMUNITY */
    int64_t now_us;          /* the clock's */
    int64_t at_us;           /* the moment that is judged as of */
    /* What is known of a team's channels beside its card; NULL: nothing is. */
    void (*channels)(void *ctx, const struct team *team, struct team_channels *channels);
    void (*tell)(void *ctx, const char *line); /* what the operator should know */
    void *ctx;
};

struct basis {
    struct arena *arena;
    const char *feeds_path;    /* as read */
    const char *baseline_path; /* as read; NULL: not needed */
    struct agreement_set agreements;
    struct feeds feeds;
    struct policy *policy;
    struct extra_fields *extras;
    struct pseudonyms *pseudonyms; /* NULL: no secret */
    struct registry *registry;     /* NULL: agreements were named, or there is none */
    bool clock_trusted;
    struct team_id community; /* nobody: not asked for, or no clause names it */
    int64_t changes_us;       /* when an event of the register that lies ahead comes, or one of its
                                 agreements begins or runs out; INT64_MAX */
};

/* Errors: as agreements_load, feeds_load, registry_open, secretfile_open, policy_compile. Owner:
 * the caller until basis_free, also after an error. OPTIONS' roster must outlive it. */
MUST_USE int basis_load(struct basis *basis, const struct basis_options *options, struct err *err);
void basis_free(struct basis *basis);

#endif
