/* Which settings are in force? For the operator's eyes; keys and passwords are no settings. */
#include "base/conf.h"
#include "core/node.h"
#include "core/state.h"
#include "core/told.h"

enum { ANSWER_BYTES = 1024 * 1024 };

static void
tell_option(const struct conf *conf, enum conf_option option, struct buf *out)
{
    const struct conf_row *row = &conf_rows[option];

    told_item(out);
    buf_add_char(out, '{');
    told_word(out, "name", row->name);
    told_name(out, "value");
    told_value(out, conf_text(conf, option));
    told_name(out, "default");
    told_value(out, span_of(row->usual));
    told_flag(out, "set", conf_is_set(conf, option));
    told_word(out, "applies", row->applies == CONF_APPLIES_RELOAD ? "reload" : "restart");
    told_word(out, "text", row->text);
    buf_add_char(out, '}');
}

int
core_settings_list(struct core *core, struct ask *ask, struct err *err)
{
    struct buf out = buf_new(ANSWER_BYTES);

    buf_add_text(&out, "{\"items\":[");
    for (int i = 0; core->options.conf != NULL && i < CONF_COUNT; i++)
        tell_option(core->options.conf, (enum conf_option)i, &out);
    buf_add_text(&out, "],\"next\":null}");
    return node_answer(core, ask, &out, err);
}
