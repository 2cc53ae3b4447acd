/* A file of settings: every value that is taken is read again as the same, and goes to other roles
 * unchanged. */
#include "fuzz.h"

#include "base/conf.h"

static void
hear(void *ctx, const struct err *err)
{
    unsigned *count = ctx;

    MUST(err->code == ERR_BAD_CONFIG && err->line > 0);
    ++*count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = conf_new();
    struct conf *other = conf_new();
    struct buf out = buf_new(4 * size + 4096);
    unsigned wrong = 0;

    if (conf == NULL || other == NULL)
        return conf_free(conf), conf_free(other), 0;
    int rc = conf_read(
        conf, (struct span){size == 0 ? "" : (const char *)data, size}, hear, &wrong, NULL);
    MUST((rc == 0) == (wrong == 0));
    rc = conf_check(conf, NULL);
    MUST(rc == 0 || rc == ERR_BAD_CONFIG);
    conf_add(&out, conf);
    struct wire_in in = wire_in(buf_span(&out));
    MUST(conf_take(&in, other, NULL) == 0 && wire_end(&in, "settings", NULL) == 0);
    for (int i = 0; i < CONF_COUNT; i++) {
        enum conf_option option = (enum conf_option)i;
        MUST(span_equal(conf_text(conf, option), conf_text(other, option)));
        MUST(conf_number(conf, option) == conf_number(other, option));
    }
    buf_free(&out);
    conf_free(conf);
    conf_free(other);
    return 0;
}
