/* Core's answers about collections: who asks and the transaction around core/collections*.c. */
#include "core/agreements_in.h"
#include "core/collections.h"
#include "core/directory.h"
#include "core/exchange.h"
#include "core/links.h"
#include "core/receipts.h"
#include "core/state.h"
#include "core/told.h"
#include "sys/clock.h"

enum { ANSWER_BYTES = CHANNEL_BODY_MAX, NAME_BYTES = 1024 };

/* ANSWER is freed. */
static int
say(struct core *core, const struct ask *ask, struct buf *answer, bool durable, int rc,
    struct err *err)
{
    if (rc == 0)
        rc = durable ? core_answer_durable(core, ask, buf_span(answer), err)
                     : core_answer(core, ask, buf_span(answer), false, err);
    buf_free(answer);
    return rc;
}

int
core_collections(struct core *core, struct ask *ask, struct err *err)
{
    struct buf answer = buf_new(ANSWER_BYTES);
    struct span name = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a question for collections", err);

    if (rc == 0 && ask->asker.kind == PRINCIPAL_PARTNER)
        rc = directory_know(core, ask->asker.team, err);
    if (rc == 0)
        rc = collections_list(core->collections, &ask->asker, name, ask->arena, &answer, err);
    return say(core, ask, &answer, core->begun, rc, err);
}

int
core_objects(struct core *core, struct ask *ask, struct err *err)
{
    struct buf answer = buf_new(ANSWER_BYTES);
    struct page_question question;
    int rc = page_question_take(ask->arena, &ask->in, &question, err);

    if (rc == 0 && ask->asker.kind == PRINCIPAL_PARTNER
        && span_equal(question.collection, SPAN(COLLECTION_RELEASED)))
        rc = directory_know(core, ask->asker.team, err); /* it is there before anything is in it */
    if (rc == 0)
        rc = collections_page(core->collections, &ask->asker, &question, ask->arena, &answer, err);
    if (rc == 0 && links_is_recipient(core, &ask->asker))
        collections_fetched(core->collections, &ask->asker, &question);
    if (rc == 0 && collections_flush_due(core->collections, clock_now_us())) {
        rc = core_begin(core, err);
        if (rc == 0)
            rc = collections_flush(core->collections, clock_now_us(), receipts_by, core, err);
    }
    return say(core, ask, &answer, false, rc, err);
}

int
core_objects_add(struct core *core, struct ask *ask, struct err *err)
{
    struct buf answer = buf_new(ANSWER_BYTES);
    struct page_add_question question;
    const struct collections_ways ways = {core, directory_owner, exchange_take};
    int rc = page_add_question_take(ask->arena, &ask->in, &question, err);

    knowledge_renew(core); /* so that agreements are held against what is there now */
    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = collections_add(core->collections, &ask->asker, &question, &ways, clock_now_us(),
            ask->arena, &answer, err);
    rc = agreements_in_end(core, rc, err);
    if (rc == 0)
        knowledge_renew(core); /* and what was taken in is judged by at once */
    return say(core, ask, &answer, true, rc, err);
}

int
core_objects_remove(struct core *core, struct ask *ask, struct err *err)
{
    struct buf answer = buf_new(ANSWER_BYTES);
    struct page_question question;
    int rc = page_question_take(ask->arena, &ask->in, &question, err);

    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = collections_remove(core->collections, &ask->asker, &question, ask->arena, err);
    return say(core, ask, &answer, true, rc, err);
}

int
core_add_status(struct core *core, struct ask *ask, struct err *err)
{
    struct buf answer = buf_new(ANSWER_BYTES);
    struct span id = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a question for a status", err);

    if (rc == 0)
        rc = collections_status(core->collections, &ask->asker, id, ask->arena, &answer, err);
    return say(core, ask, &answer, false, rc, err);
}

/* The inputs stand in tables/inputs.def: title, alias, description, id. */
int
core_collection_add(struct core *core, struct ask *ask, struct err *err)
{
    struct buf answer = buf_new(NAME_BYTES);
    struct span title = wire_text(&ask->in);
    struct span alias = wire_text(&ask->in);
    struct span description = wire_text(&ask->in);
    struct span id = wire_text(&ask->in);
    int rc = wire_end(&ask->in, "a new collection", err);

    if (rc == 0)
        rc = core_begin(core, err);
    if (rc == 0)
        rc = collections_add_shared(core->collections, title, alias, description, &id, err);
    buf_add_char(&answer, '{');
    told_text(&answer, "id", id);
    told_text(&answer, "alias", alias);
    buf_add_char(&answer, '}');
    return say(core, ask, &answer, true, rc, err);
}
