/* comity agreement propose, sign, refuse, suspend, resume, end: what people do to an agreement. */
#include "flow/agreement_life.h"
#include "base/time.h"
#include "cli/agreement.h"
#include "cli/agreement_take.h"
#include "cli/cli.h"

#include <stdio.h>

#define HOME_OPTIONS                                                                               \
    "  --home FOLDER   the node's home (default: $COMITY_HOME, /var/lib/comity for root,\n"        \
    "                  $XDG_DATA_HOME/comity, ~/.local/share/comity)\n"                            \
    "  --teams PATH    team directory\n"

#define RUNNING                                                                                    \
    "\nA node that runs in that home notices at once, and shows the change to the other "          \
    "parties.\n"

static const char propose_usage[] =
    "comity agreement propose: take a document into the register and sign it first\n\n"
    "usage: comity agreement propose [--as TEAM] [OPTIONS] FILE\n\n"
    "  --as TEAM       who this node is; kept in its home, so that it is said once\n" HOME_OPTIONS
    "\nThe key is made when there is none. Send what `comity agreement export ID` prints to the\n"
    "other parties, and take in what they send back with `comity agreement sign FILE`; nodes that\n"
    "exchange do both by themselves.\n" RUNNING;
static const char sign_usage[] =
    "comity agreement sign: sign a document that a partner sent, or take in their signature\n\n"
    "usage: comity agreement sign [--as TEAM] [OPTIONS] FILE|ID\n\n"
    "  --as TEAM       who this node is; kept in its home, so that it is said once\n" HOME_OPTIONS
    "\nRead it first: `comity agreement lint FILE` and `comity agreement simulate FILE --on "
    "REPORTS`.\n"
    "A signature by a key that is not known to be the party's counts as none, and that is told;\n"
    "one that was not made over this text is refused.\n"
    "ID may be its beginning, without urn:uuid:.\n" RUNNING;
static const char change_usage[] =
    "comity agreement suspend|resume|end: from when on it holds no more, or again\n\n"
    "usage: comity agreement suspend|resume|end [OPTIONS] ID|FILE\n\n"
    "  --at TIME       from this instant on (default: now); not in the past\n"
    "  --reason TEXT   kept with it, and shown to people\n" HOME_OPTIONS
    "\nAn end is final: what has ended does not come back, whatever the clock says. To go on, sign "
    "a\n"
    "new agreement. Each change is written to the register's journal, signed by this team. What "
    "each\n"
    "party suspended, that party resumes.\n" RUNNING;
static const char refuse_usage[] =
    "comity agreement refuse: say that a proposal will not be signed\n\n"
    "usage: comity agreement refuse [OPTIONS] ID|FILE\n\n"
    "  --reason TEXT   kept with it, and told to the other parties\n" HOME_OPTIONS
    "\nWho refused may still sign; then the refusal no longer counts.\n" RUNNING;

/* One word, the register open for writing. */
static int
begin(struct agreement_register *r, int argc, char **argv, unsigned options, const char *usage,
    struct agreement_wanted *wanted, struct err *err)
{
    int rc = agreement_options(argc, argv, options, usage, wanted, err);

    *r = (struct agreement_register){0};
    if (rc != 0)
        return rc;
    if (wanted->word_count != 1)
        return err_set(err, ERR_USAGE,
            "%s: name one agreement; `comity agreement %s --help` says more", argv[1], argv[1]);
    return agreement_register_open(r, wanted, REGISTRY_WRITE, err);
}

static int
finish(struct agreement_register *r, int rc, const struct err *err)
{
    agreement_register_close(r);
    return rc < 0 ? setup_fail(err) : EXIT_DONE;
}

int
agreement_propose(int argc, char **argv)
{
    struct agreement_register r;
    struct agreement_wanted wanted;
    struct agreement document;
    struct err err = {0};
    int rc = begin(&r, argc, argv, AGREEMENT_AS, propose_usage, &wanted, &err);

    if (rc == 0)
        rc = agreement_from_file(&r, wanted.words[0], &document, &err);
    if (rc == 0)
        rc = agreement_take(&r, &document, true, &err);
    return finish(&r, rc, &err);
}

int
agreement_sign_command(int argc, char **argv)
{
    struct agreement_register r;
    struct agreement_wanted wanted;
    struct agreement document;
    struct err err = {0};
    size_t at;
    int rc = begin(&r, argc, argv, AGREEMENT_AS, sign_usage, &wanted, &err);

    if (rc == 0 && agreement_is_file(wanted.words[0]))
        rc = agreement_from_file(&r, wanted.words[0], &document, &err);
    else if (rc == 0 && (rc = agreement_meant(&r, wanted.words[0], &at, &err)) == 0)
        document = r.registry->agreements[at];
    if (rc == 0)
        rc = agreement_take(&r, &document, false, &err);
    return finish(&r, rc, &err);
}

/* ---- suspend, resume, end, refuse ---- */

static int
moment(const struct agreement_register *r, const char *at, int64_t *out, struct err *err)
{
    *out = r->now_us;
    int rc = setup_time("at", at, out, err);

    return rc != 0 || *out >= r->now_us
        ? rc
        : err_set(
            err, ERR_USAGE, "--at %s is past; what was decided since cannot be made otherwise", at);
}

static int
record(
    struct agreement_register *r, size_t i, const struct agreement_change *change, struct err *err)
{
    const struct agreement *a = &r->registry->agreements[i];
    char text[TIME_TEXT_BYTES];
    struct agreement_key key = {0};
    int rc = agreement_life_may(r->registry, i, change, err);

    if (rc == 0)
        rc = agreement_own_key(r, &key, err);
    if (rc == 0)
        rc = agreement_life_change(r->registry, i, change, &key, err);
    explicit_bzero(&key, sizeof key);
    if (rc != 0)
        return rc;
    (void)time_format(change->at_us, "Z", text);
    (void)printf("%.*s: %s from %s on\n", SPAN_ARGS(a->id), journal_words[change->type], text);
    return 0;
}

static int
change(int argc, char **argv, enum journal_type type, unsigned options, const char *usage)
{
    struct agreement_register r;
    struct agreement_wanted wanted;
    struct agreement_change made = {.type = (uint8_t)type};
    struct err err = {0};
    size_t i = 0;
    int rc = begin(&r, argc, argv, options, usage, &wanted, &err);

    if (rc == 0)
        rc = agreement_meant(&r, wanted.words[0], &i, &err);
    if (rc == 0)
        rc = moment(&r, wanted.at, &made.at_us, &err);
    if (rc == 0) {
        made.now_us = r.now_us;
        made.reason = span_of(wanted.reason == NULL ? "" : wanted.reason);
        rc = record(&r, i, &made, &err);
    }
    return finish(&r, rc, &err);
}

int
agreement_suspend(int argc, char **argv)
{
    return change(argc, argv, JOURNAL_SUSPENDED, AGREEMENT_AT | AGREEMENT_REASON, change_usage);
}

int
agreement_resume(int argc, char **argv)
{
    return change(argc, argv, JOURNAL_RESUMED, AGREEMENT_AT | AGREEMENT_REASON, change_usage);
}

int
agreement_end(int argc, char **argv)
{
    return change(argc, argv, JOURNAL_ENDED, AGREEMENT_AT | AGREEMENT_REASON, change_usage);
}

int
agreement_refuse(int argc, char **argv)
{
    return change(argc, argv, JOURNAL_REFUSED, AGREEMENT_REASON, refuse_usage);
}
