#include "edge/intake.h"

#include "base/log.h"
#include "edge/ask.h"
#include "edge/front_private.h"
#include "edge/intake_private.h"
#include "fmt/format.h"
#include "fmt/generic_map.h"
#include "fmt/json.h"
#include "fmt/shadowschema.h"
#include "model/intake.h"
#include "model/record.h"
#include "sys/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES = 256 * 1024, /* a message is sent when it has so many, or the most records */
    RECORDS_BYTES_MAX = CHANNEL_BODY_MAX - 64 * 1024,
    LISTED_BYTES_MAX = 256 * 1024,
};

static const struct caller nobody = {.scheme = CALLER_NOBODY};

int
intake_readers_load(struct intake_readers *readers, const char *share_dir, struct err *err)
{
    char folder[4096];
    struct err why = {0};

    *readers = (struct intake_readers){.options.share_dir = share_dir};
    if (shadowschema_new(share_dir, &readers->schema, &why) != 0)
        log_warning_of("no Shadowserver schema", &why);
    (void)snprintf(folder, sizeof folder, "%s/mappings", share_dir);
    int rc = generic_maps_load(folder, &readers->maps, err);
    readers->options.maps = readers->maps;
    return rc;
}

void
intake_readers_free(struct intake_readers *readers)
{
    shadowschema_free(readers->schema);
    generic_maps_free(readers->maps);
    *readers = (struct intake_readers){0};
}

/* ---- on the fiber ---- */

/* Wait for GOING_ON; ERR_STOPPED or what ended the stream when there is no sense in it. */
static int
wait_here(struct intake *intake, struct err *err)
{
    fiber_pause(intake->fiber);
    if (intake->lost.code != ERR_OK) {
        *err = intake->lost;
        return err->code;
    }
    return intake->cancelled ? err_set(err, ERR_STOPPED, "the stream broke off") : 0;
}

int
intake_flush(struct intake *intake, struct err *err)
{
    struct buf head = buf_new(16);
    int rc = 0;

    if (intake->count == 0)
        return 0;
    while (rc == 0 && intake->credit == 0) {
        intake->blocked = true;
        rc = wait_here(intake, err);
        intake->blocked = false;
    }
    if (rc != 0)
        return rc;
    wire_add_u32(&head, intake->rejected);
    wire_add_u32(&head, intake->count);
    const struct span parts[] = {buf_span(&head), buf_span(&intake->records)};
    rc = talk_again(
        intake->front->talks, intake->tag, MESSAGE_INTAKE_RECORDS, &nobody, parts, 2, err);
    buf_free(&head);
    if (rc != 0)
        return rc;
    intake->credit--;
    intake->count = intake->rejected = 0;
    intake->records.n = 0;
    return 0;
}

static void
list_rejection(struct intake *intake, const struct err *why)
{
    struct buf *out = &intake->listed;
    size_t before = out->n;

    if (intake->listed_count == INTAKE_LISTED)
        return;
    buf_add_text(out, intake->listed_count == 0 ? "" : ",");
    buf_add_text(out, "{\"line\":");
    buf_add_u64(out, why->line);
    buf_add_text(out, ",\"field\":");
    if (why->field[0] == '\0')
        buf_add_text(out, "null");
    else
        json_add_string(out, span_of(why->field));
    buf_add_text(out, ",\"code\":");
    json_add_string(out, span_of(err_word(why->code)));
    buf_add_text(out, ",\"reason\":");
    json_add_string(out, span_of(why->msg));
    buf_add_text(out, "}");
    intake->listed_count++;
    if (out->full)
        out->n = before;
}

static void
list_problem(struct intake *intake, const struct err *why)
{
    struct buf *out = &intake->listed;

    if (out->n > INTAKE_PROBLEMS_BYTES - ERR_MSG_BYTES - ERR_FIELD_BYTES - 64)
        return;
    buf_format(out, "line %llu: %s%s%s\n", (unsigned long long)why->line, why->field,
        why->field[0] == '\0' ? "" : ": ", why->msg);
}

static int
take_reject(void *ctx, const struct err *why, struct span record, struct err *err)
{
    struct intake *intake = ctx;

    (void)record;
    (void)err;
    intake->rejected++;
    if (intake->request != NULL)
        list_rejection(intake, why);
    else
        list_problem(intake, why);
    return 0;
}

static int
too_large(struct intake *intake, const struct report *report, struct err *err)
{
    struct err why = {0};

    (void)err_set(&why, ERR_LIMIT, "the report is larger than %d bytes", RECORDS_BYTES_MAX);
    why.line = report->line;
    return take_reject(intake, &why, (struct span){NULL, 0}, err);
}

static int
take_report(void *ctx, const struct report *report, struct err *err)
{
    struct intake *intake = ctx;
    size_t before = intake->records.n;

    record_add(&intake->records, report);
    if (intake->records.full) {
        intake->records.full = false;
        intake->records.n = before;
        if (before == 0)
            return too_large(intake, report, err);
        int rc = intake_flush(intake, err);
        return rc != 0 ? rc : take_report(intake, report, err);
    }
    intake->count++;
    if (intake->count < INTAKE_RECORDS_MOST && intake->records.n < MESSAGE_BYTES)
        return 0;
    return intake_flush(intake, err);
}

/* Bytes of the piece that is there; wait for the next one. */
static int
pull_piece(void *ctx, char *to, size_t size, size_t *got, struct err *err)
{
    struct intake *intake = ctx;
    int rc = 0;

    while (rc == 0 && intake->piece.n == 0 && !intake->eof)
        rc = wait_here(intake, err);
    *got = rc == 0 && intake->piece.n < size ? intake->piece.n : size;
    if (rc != 0)
        return rc;
    if (intake->piece.n == 0) {
        *got = 0;
        return 0;
    }
    memcpy(to, intake->piece.p, *got);
    intake->piece = (struct span){intake->piece.p + *got, intake->piece.n - *got};
    return 0;
}

static void
read_all(void *ctx)
{
    struct intake *intake = ctx;
    const struct reader_sink sink = {.ctx = intake, .report = take_report, .reject = take_reject};
    input_pull *pull = intake->request != NULL ? pull_piece : intake_pull_file;
    struct input *input = NULL;
    int rc = input_open_pull(pull, intake, intake->name, &input, &intake->err);

    if (rc == 0)
        rc = format_read(input, intake->format, &intake->options, &sink, &intake->err);
    if (rc == 0)
        rc = intake_flush(intake, &intake->err);
    input_close(input);
    intake->rc = rc;
}

/* ---- beside it ---- */

int
intake_stream_new(struct front *front, struct span name, struct intake **out, struct err *err)
{
    const struct intake_readers *readers = front->settings.readers;
    struct intake *intake = readers == NULL ? NULL : calloc(1, sizeof *intake);

    if (intake == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a stream of reports");
    intake->front = front;
    intake->fd = -1;
    intake->options = readers->options;
    intake->schema = readers->schema;
    intake->options.schema = intake->schema != NULL ? &intake->schema : NULL;
    intake->records = buf_new(RECORDS_BYTES_MAX);
    intake->listed = buf_new(LISTED_BYTES_MAX);
    intake->name = strndup(name.p == NULL ? "" : name.p, name.n);
    int rc = intake->name == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a stream's name")
                                  : fiber_new(read_all, intake, &intake->fiber, err);
    if (rc != 0) {
        intake_stream_free(intake);
        return rc;
    }
    *out = intake;
    return 0;
}

void
intake_stream_free(struct intake *intake)
{
    struct err ignored = {0};
    struct span why = SPAN("\0\0\0\0"); /* an empty text */

    if (intake == NULL)
        return;
    intake->cancelled = true;
    while (intake->begun && fiber_go(intake->fiber))
        ;
    if (intake->open) {
        (void)!talk_again(
            intake->front->talks, intake->tag, MESSAGE_INTAKE_ABORT, &nobody, &why, 1, &ignored);
        talk_end(intake->front->talks, intake->tag);
    }
    fiber_free(intake->fiber);
    buf_free(&intake->records);
    buf_free(&intake->listed);
    if (intake->fd >= 0)
        (void)close(intake->fd);
    free(intake->name);
    free(intake);
}

bool
intake_go(struct intake *intake)
{
    if (intake->inside || intake->ended)
        return !intake->ended;
    intake->begun = true;
    intake->inside = true;
    intake->ended = !fiber_go(intake->fiber);
    intake->inside = false;
    return !intake->ended;
}

int
intake_begin(struct intake *intake, const struct caller *caller, uint64_t file,
    const struct talk *talk, struct err *err)
{
    struct buf body = buf_new(64 * 1024);
    const struct intake_open open = {.name = span_of(intake->name),
        .file = file,
        .corrects = intake->corrects,
        .why = intake->why};

    intake_open_add(&body, &open);
    int rc = buf_check(&body, "a stream's name", err);
    if (rc == 0)
        rc = talk_begin(intake->front->talks, MESSAGE_INTAKE_OPEN, caller, buf_span(&body), talk,
            &intake->tag, err);
    intake->open = rc == 0;
    buf_free(&body);
    return rc;
}

int
intake_close(struct intake *intake, struct span problems, struct err *err)
{
    struct buf body = buf_new(INTAKE_PROBLEMS_BYTES + 16);

    wire_add_u32(&body, intake->rejected);
    wire_add_text(&body, problems);
    const struct span part = buf_span(&body);
    int rc = buf_check(&body, "a stream's end", err);
    if (rc == 0)
        rc = talk_again(
            intake->front->talks, intake->tag, MESSAGE_INTAKE_CLOSE, &nobody, &part, 1, err);
    buf_free(&body);
    return rc;
}

/* ---- a request ---- */

static void
add_count(struct buf *out, const char *name, uint64_t value)
{
    buf_add_text(out, out->n == 1 ? "\"" : ",\"");
    buf_add_text(out, name);
    buf_add_text(out, "\":");
    buf_add_u64(out, value);
}

static int
answer_totals(struct intake *intake, struct span body, struct err *err)
{
    struct totals totals;
    struct wire_in in = wire_in(body);
    struct buf out = buf_new(LISTED_BYTES_MAX + 1024);

    totals_take(&in, &totals);
    int rc = wire_end(&in, "a stream's counts", err);
    if (rc != 0)
        return rc;
    buf_add_text(&out, "{");
#define ONE(name) add_count(&out, #name, totals.name);
    TOTALS_EACH(ONE)
#undef ONE
    buf_add_text(&out, ",\"rejections\":[");
    buf_add_span(&out, buf_span(&intake->listed));
    buf_add_text(&out, "]}\n");
    return request_answer_owned(intake->request, MHD_HTTP_OK, "application/json", &out, err);
}

static void
on_answered(void *ctx, struct span body, bool more, const struct err *why)
{
    struct intake *intake = ctx;
    struct err err = {0};

    intake->open = more;
    if (why != NULL)
        intake->lost = *why;
    if (why != NULL && !intake->inside)
        request_refuse(intake->request, why);
    if (why == NULL && !more && answer_totals(intake, body, &err) != 0)
        request_refuse(intake->request, &err);
}

/* The reader has come to its end: core is told, or the client. */
static void
on_read(struct intake *intake)
{
    struct err err = {0};

    if (intake->rc == 0)
        intake->rc = intake_close(intake, (struct span){NULL, 0}, &intake->err);
    if (intake->rc != 0) {
        err = intake->err;
        request_refuse(intake->request, &err);
    }
}

static void
go_on(struct intake *intake)
{
    if (!intake->ended && !intake_go(intake))
        on_read(intake);
}

static void
on_credit(void *ctx, uint32_t more)
{
    struct intake *intake = ctx;

    intake->credit += more;
    if (!intake->blocked || intake->inside)
        return;
    go_on(intake);
    if (!intake->blocked)
        request_resume(intake->request);
}

static size_t
on_piece(void *ctx, struct span bytes, struct err *err)
{
    struct intake *intake = ctx;

    (void)err;
    if (intake->blocked)
        return 0;
    intake->piece = bytes;
    go_on(intake);
    size_t left = intake->ended ? 0 : intake->piece.n;
    intake->piece = (struct span){NULL, 0};
    return bytes.n - left;
}

static int
on_end(void *ctx, struct err *err)
{
    struct intake *intake = ctx;

    (void)err;
    intake->eof = true;
    request_hold(intake->request);
    if (!intake->blocked)
        go_on(intake);
    return 0;
}

static void
free_intake(void *ctx)
{
    intake_stream_free(ctx);
}

static int
set_format(struct intake *intake, const struct intake_said *said, struct err *err)
{
    struct arena *arena = request_arena(intake->request);

    intake->format = format_find(said->format);
    if (said->format.n > 0 && intake->format == FORMAT_UNKNOWN)
        return err_set_field(err, ERR_BAD_VALUE, "format", 6, "\"%.*s\" is no format that is read",
            SPAN_ARGS(said->format));
    intake->options.mapping = said->mapping;
    if (said->provider.n == 0)
        return 0;
    intake->options.provider = arena_copy(arena, said->provider.p, said->provider.n);
    return intake->options.provider != NULL ? 0 : arena_full(err, "a provider's name");
}

int
intake_handle(struct request *request, const struct intake_said *said, struct err *err)
{
    struct intake *intake = NULL;
    int rc = intake_stream_new(
        request->front, said->name.n > 0 ? said->name : SPAN("the request's body"), &intake, err);

    if (rc != 0)
        return rc;
    intake->request = request;
    intake->corrects = said->corrects;
    intake->why = said->why;
    rc = request_on_end(request, free_intake, intake, err);
    if (rc != 0) {
        intake_stream_free(intake);
        return rc;
    }
    rc = set_format(intake, said, err);
    request_take_body(
        request, &(struct request_stream){.ctx = intake, .take = on_piece, .ended = on_end});
    const struct talk talk = {.ctx = intake, .credit = on_credit, .answered = on_answered};
    return rc != 0 ? rc : intake_begin(intake, request_caller(request), 0, &talk, err);
}
