#include "fmt/reader.h"
int generic_read(struct input *i, const struct reader_options *o, const struct reader_sink *s, struct err *e)
{ (void)i; (void)o; (void)s; return err_set(e, ERR_UNKNOWN_FORMAT, "not in this build"); }
bool generic_recognise(struct span h, struct span n, const struct reader_options *o)
{ (void)h; (void)n; (void)o; return false; }
