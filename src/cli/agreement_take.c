#include "cli/agreement_take.h"

#include "flow/agreement_life.h"

#include <stdio.h>

/* Whose key is not known, and what to do about it. */
static void
warn(const struct agreement_signature *signature)
{
    char key[AGREEMENT_SIGN_BASE64_BYTES];

    agreement_sign_base64(signature->key, sizeof signature->key, key);
    (void)fprintf(stderr,
        "comity: the signature of %.*s counts as none: its key is not known to be theirs. "
        "Ask them by another way whether it is %s, then: comity agreement key --trust "
        "%.*s %s\n",
        SPAN_ARGS(signature->party), key, SPAN_ARGS(signature->party), key);
}

static void
tell(const struct agreement_taken *t)
{
    const struct agreement *a = &t->a;
    const char *before = "; it waits for ";

    (void)printf("%.*s: ", SPAN_ARGS(a->id));
    if (t->kept == a->signature_count)
        (void)printf("nothing new");
    for (size_t i = t->kept; i < a->signature_count; i++)
        (void)printf("%ssigned by %.*s%s", i > t->kept ? ", " : "", SPAN_ARGS(t->rows[i].party),
            t->rows[i].mark == MARK_UNKNOWN ? " with a key that is not known" : "");
    for (size_t i = 0; i < a->party_count; i++)
        if (!agreement_sign_has(a, a->parties[i])) {
            (void)printf("%s%.*s", before, SPAN_ARGS(a->parties[i]));
            before = ", ";
        }
    (void)puts(before[0] == ';' ? "; signed by all" : "");
    for (size_t i = 0; i < a->signature_count; i++)
        if (t->rows[i].mark == MARK_UNKNOWN)
            warn(&t->rows[i]);
}

int
agreement_take(
    struct agreement_register *r, const struct agreement *document, bool propose, struct err *err)
{
    struct agreement_key key = {0};
    struct agreement_taken taken;
    int rc = agreement_life_fits(r->registry, document, r->now_us, err);

    if (rc == 0)
        rc = agreement_own_key(r, &key, err);
    if (rc == 0)
        rc = agreement_life_take(
            r->registry, r->arena, document, propose, r->now_us, &key, &taken, err);
    if (rc == 0)
        tell(&taken);
    explicit_bzero(&key, sizeof key);
    return rc;
}
