#include "cli/vkeys.h"

#include "cli/setup.h"

int
vkeys_option(struct vkeys *vkeys, int argc, char **argv, int *i, const char *option,
    enum note_algorithm algorithm, struct err *err)
{
    const char *text;
    struct note_key key;
    struct err why;
    int rc = setup_option(argc, argv, i, option, &text, err);

    if (rc <= 0)
        return rc;
    if (vkeys->count == VKEYS_MAX)
        return err_set(err, ERR_USAGE, "at most %d keys by --%s", VKEYS_MAX, option);
    if (note_key_parse(span_of(text), &key, &why) != 0)
        return err_set(err, ERR_USAGE, "--%s: %s", option, why.msg);
    if (key.algorithm != algorithm)
        return err_set(err, ERR_USAGE,
            algorithm == NOTE_ED25519 ? "--%s: that is a witness' key: give it by --witness"
                                      : "--%s: that is a log's key: give it by --key",
            option);
    vkeys->keys[vkeys->count++] = key;
    return 1;
}
