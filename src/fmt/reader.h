/* reader.h: what do all readers of a format have in common?
 *
 * A reader takes a stream of bytes and hands reports to a sink one at a time, in
 * input order. A bad record is handed to `reject` with line, field and reason, and
 * reading goes on behind it. Every record ends as one call of either, so the counts
 * add up. A reader returns an error only when the input as a whole cannot go on
 * (unreadable file, damaged compressed stream, the sink said stop); what was handed on
 * before stands.
 */
#ifndef COMITY_FMT_READER_H
#define COMITY_FMT_READER_H

#include "base/err.h"
#include "fmt/input.h"
#include "model/report.h"

struct shadowschema;
struct generic_maps;

struct reader_sink {
    void *ctx;
    /* Called when a report is complete, before `report`, which follows a few reports later: time to
     * fetch memory it will need. May be NULL. */
    void (*prepare)(void *ctx, struct report *report);
    /* Borrowed until it returns. Non-zero stops the reader, which returns it. */
    int (*report)(void *ctx, const struct report *report, struct err *err);
    /* WHY has code, line, field and msg. RECORD is the record's bytes if known. */
    int (*reject)(void *ctx, const struct err *why, struct span record, struct err *err);
};

/* The operator's defaults for fields that the input does not give. */
struct reader_options {
    const char *share_dir;    /* where schemas and mappings are; never NULL */
    const char *mapping_path; /* generic CSV: the mapping file; NULL: by the header, in share_dir */
    struct span mapping;      /* the same as JSON text; n 0: none */
    /* Mappings that were read before (generic_maps_load), for who may open no files any more; NULL:
     * share_dir's are read. */
    const struct generic_maps *maps;
    const char
        *report_type;     /* Shadowserver: type when the file's name does not tell; NULL: by name */
    const char *provider; /* feed.provider when the input gives none; NULL: leave out */
    /* Shadowserver's schema is kept here from file to file, for shadowschema_free; NULL: each file
     * reads it anew. */
    struct shadowschema **schema;
};

/* Does the operator say what the columns mean? Then nothing is recognised by them. */
static inline bool
reader_has_mapping(const struct reader_options *options)
{
    return options->mapping_path != NULL || options->mapping.n > 0;
}

/* A sink's reject that passes over what is no report, where others count. */
int reader_pass_over(void *ctx, const struct err *why, struct span record, struct err *err);

/* Hand a finished report or its rejection to the sink: what every reader ends a
 * record with. RC is what parsing said so far; 0 runs report_finish first.
 * Only sender's errors become rejections, others are returned. */
MUST_USE int reader_end_record(const struct reader_sink *sink, struct report *report, int rc,
    struct err *why, struct span record, struct err *err);

/* The readers. Each header says which standard it follows. */
MUST_USE int idf_read(struct input *input, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err);
MUST_USE int shadowserver_read(struct input *input, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err);
MUST_USE int stix_read(struct input *input, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err);
MUST_USE int generic_read(struct input *input, const struct reader_options *options,
    const struct reader_sink *sink, struct err *err);

/* Is this the beginning (at most 64 KiB) of an input of that format? NAME is the
 * input's file name without folders and without .gz, .zst or .xz. */
bool idf_recognise(struct span head, struct span name, const struct reader_options *options);
bool shadowserver_recognise(
    struct span head, struct span name, const struct reader_options *options);
bool stix_recognise(struct span head, struct span name, const struct reader_options *options);
bool generic_recognise(struct span head, struct span name, const struct reader_options *options);

#endif
