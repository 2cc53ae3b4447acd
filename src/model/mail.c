#include "model/mail.h"

void
mail_task_add(struct buf *out, const struct mail_task *task)
{
    const struct span texts[] = {task->from, task->to, task->reply, task->own, task->own_name,
        task->team, task->name, task->batch, task->message_id, task->references, task->sign_key,
        task->key, task->fingerprint};

    wire_add_u64(out, task->number);
    wire_add_u8(out, task->what);
    wire_add_u8(out, task->digest);
    wire_add_i64(out, task->date_us);
    wire_add_u64(out, task->max_bytes);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        wire_add_text(out, texts[i]);
}

int
mail_task_take(struct span body, struct mail_task *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    *out = (struct mail_task){.number = wire_u64(&in)};
    struct span *const texts[] = {&out->from, &out->to, &out->reply, &out->own, &out->own_name,
        &out->team, &out->name, &out->batch, &out->message_id, &out->references, &out->sign_key,
        &out->key, &out->fingerprint};
    out->what = wire_u8(&in);
    out->digest = wire_u8(&in) != 0;
    out->date_us = wire_i64(&in);
    out->max_bytes = wire_u64(&in);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = wire_text(&in);
    return wire_end(&in, "a mail to be made", err);
}

void
mail_made_add(struct buf *out, const struct mail_made *made)
{
    wire_add_u64(out, made->number);
    wire_add_u8(out, made->outcome);
    wire_add_text(out, made->text);
}

int
mail_made_take(struct span body, struct mail_made *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    *out = (struct mail_made){.number = wire_u64(&in)};
    out->outcome = wire_u8(&in);
    out->text = wire_text(&in);
    return wire_end(&in, "what became of a mail", err);
}

void
mail_parcel_add(struct buf *out, const struct mail_parcel *parcel)
{
    wire_add_u64(out, parcel->number);
    wire_add_u32(out, parcel->bytes);
    wire_add_text(out, parcel->from);
    wire_add_text(out, parcel->to);
}

int
mail_parcel_take(struct span body, struct mail_parcel *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    *out = (struct mail_parcel){.number = wire_u64(&in)};
    out->bytes = wire_u32(&in);
    out->from = wire_text(&in);
    out->to = wire_text(&in);
    return wire_end(&in, "a mail to be sent", err);
}

void
mail_sent_add(struct buf *out, const struct mail_sent *sent)
{
    wire_add_u64(out, sent->number);
    wire_add_u8(out, sent->outcome);
    wire_add_u16(out, sent->code);
    wire_add_text(out, sent->why);
}

int
mail_sent_take(struct span body, struct mail_sent *out, struct err *err)
{
    struct wire_in in = wire_in(body);

    *out = (struct mail_sent){.number = wire_u64(&in)};
    out->outcome = wire_u8(&in);
    out->code = wire_u16(&in);
    out->why = wire_text(&in);
    return wire_end(&in, "what became of a mail", err);
}
