/* comity agreement new: a draft to write on. */
#include "cli/agreement.h"

#include "base/time.h"
#include "cli/cli.h"
#include "cli/setup.h"
#include "flow/agreements.h"
#include "fmt/json.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 << 20, DRAFT_BYTES = 1 << 20, UUID_BYTES = 46 };

static const char usage[] =
    "comity agreement new: a draft with a new id, to be edited, checked and proposed\n\n"
    "usage: comity agreement new [OPTIONS]\n\n"
    "  --kind KIND        bilateral (default), multilateral, baseline or law\n"
    "  --parties A,B,...  ids of the teams (bilateral: two)\n"
    "  --economy XX       law: whose law it is\n"
    "  --title TEXT       what people call it\n"
    "  --out FILE         write there (it must not exist) instead of to standard output\n\n"
    "What follows: edit it (comity-agreement(5), doc/agreement-language.md), then\n"
    "`comity agreement lint FILE` and `comity agreement propose FILE`.\n";

struct draft {
    const char *kind;
    const char *parties;
    const char *economy;
    const char *title;
    const char *out;
};

static int
take_options(int argc, char **argv, struct draft *draft, struct err *err)
{
    const struct {
        const char *name;
        const char **to;
    } options[] = {{"kind", &draft->kind}, {"parties", &draft->parties},
        {"economy", &draft->economy}, {"title", &draft->title}, {"out", &draft->out}};

    for (int i = 2; i < argc; i++) {
        int rc = 0;
        for (size_t k = 0; rc == 0 && k < sizeof options / sizeof options[0]; k++)
            rc = setup_option(argc, argv, &i, options[k].name, options[k].to, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return err_set(err, ERR_USAGE,
                "no argument \"%s\"; `comity agreement new --help` lists them", argv[i]);
    }
    return 0;
}

static bool
is_kind(const struct draft *draft, const char *kind)
{
    return strcmp(draft->kind, kind) == 0;
}

static int
check(const struct draft *draft, struct err *err)
{
    bool law = is_kind(draft, "law");
    bool two = is_kind(draft, "bilateral");
    size_t commas = 0;

    if (!law && !two && !is_kind(draft, "multilateral") && !is_kind(draft, "baseline"))
        return err_set(err, ERR_USAGE,
            "--kind %s: there are bilateral, multilateral, baseline and law", draft->kind);
    if (law != (draft->economy != NULL))
        return err_set(err, ERR_USAGE,
            law ? "a law needs --economy: the two letters of whose law it is"
                : "--economy is for laws");
    for (const char *p = draft->parties; p != NULL && *p != '\0'; p++)
        commas += *p == ',';
    if ((two || is_kind(draft, "multilateral")) && commas == 0)
        return err_set(err, ERR_USAGE, "--parties A,B: who agrees? (ids; `comity team list`)");
    return two && commas != 1 ? err_set(err, ERR_USAGE,
               "a bilateral agreement has two parties; --kind multilateral has more")
                              : 0;
}

static void
new_id(char out[UUID_BYTES])
{
    unsigned char r[16];

    randombytes_buf(r, sizeof r);
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    (void)snprintf(out, UUID_BYTES,
        "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
        r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
}

static void
add_parties(const struct draft *draft, struct buf *out)
{
    struct span rest = span_of(draft->parties);
    struct span party;
    const char *before = "";

    buf_add_text(out, "  \"parties\": [");
    while (span_next(&rest, ',', &party) || (party = rest, rest.n > 0)) {
        buf_add_text(out, before);
        json_add_string(out, party);
        before = ", ";
        if (party.p == rest.p)
            break;
    }
    buf_add_text(out, "],\n");
}

/* The day is today's, so that the draft holds from its first day. */
static void
write_draft(const struct draft *draft, struct buf *out)
{
    const char *who = draft->parties != NULL ? "party" : "*";
    char id[UUID_BYTES];
    char today[TIME_TEXT_BYTES];

    new_id(id);
    (void)time_format(clock_now_us(), "Z", today);
    buf_format(out, "{\n  \"id\": \"%s\",\n  \"title\": ", id);
    json_add_string(out, span_of(draft->title));
    buf_format(out, ",\n  \"kind\": \"%s\",\n", draft->kind);
    if (draft->parties != NULL)
        add_parties(draft, out);
    if (draft->economy != NULL) {
        buf_add_text(out, "  \"economy\": ");
        json_add_string(out, span_of(draft->economy));
        buf_add_text(out, ",\n");
    }
    buf_format(out, "  \"valid_from\": \"%.10s\",\n  \"valid_until\": null,\n", today);
    buf_add_text(out, "  \"text_url\": null,\n  \"text_sha256\": null,\n  \"clauses\": [\n    {\n");
    buf_format(
        out, "      \"id\": \"1\",\n      \"from\": \"%s\",\n      \"to\": \"%s\",\n", who, who);
    buf_format(out,
        "      \"classification\": [\"*\"],\n      \"tlp_max\": \"%s\",\n"
        "      \"effect\": \"release\",\n"
        "      \"treatment\": {\"account\": \"pseudonymise\", \"text\": \"remove\"},\n"
        "      \"require\": [],\n      \"retention_days\": null,\n      \"onward\": \"%s\",\n",
        is_kind(draft, "law") ? "red" : "green", is_kind(draft, "law") ? "tlp" : "constituency");
    buf_add_text(out,
        "      \"note\": \"A beginning: say which reports, up to which label, and what is taken "
        "out.\"\n    }\n  ]\n}\n");
}

/* What is not said well here is told now, not when it is proposed. */
static int
try_draft(const struct buf *out, struct err *err)
{
    const char *name = "the draft";
    struct arena *arena = arena_new(ARENA_BYTES);
    struct span text = buf_span(out);
    struct agreement_set set;
    int rc = arena == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the draft")
                           : agreements_parse(arena, &text, &name, 1, &set, err);

    if (rc == 0 && set.agreements[0].broken)
        rc = err_set(err, ERR_USAGE, "%.*s", SPAN_ARGS(set.agreements[0].why));
    arena_free(arena);
    return rc;
}

static int
put(const struct draft *draft, struct buf *out, struct err *err)
{
    const struct span part = buf_span(out);

    if (draft->out == NULL)
        return setup_print(out, "the draft", err);
    if (access(draft->out, F_OK) == 0)
        return err_set(err, ERR_EXISTS, "%s is there already", draft->out);
    return file_write_atomic(draft->out, &part, 1, 0666, err);
}

int
agreement_new(int argc, char **argv)
{
    struct draft draft = {.kind = "bilateral", .title = "Title of the agreement"};
    struct buf out = buf_new(DRAFT_BYTES);
    struct err err = {0};

    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return fputs(usage, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
    int rc = sodium_init() < 0 ? err_set(&err, ERR_INTERNAL, "libsodium does not start")
                               : take_options(argc, argv, &draft, &err);
    if (rc == 0)
        rc = check(&draft, &err);
    if (rc == 0) {
        write_draft(&draft, &out);
        rc = buf_check(&out, "the draft", &err);
    }
    if (rc == 0)
        rc = try_draft(&out, &err);
    if (rc == 0)
        rc = put(&draft, &out, &err);
    buf_free(&out);
    return rc == 0 ? EXIT_DONE : setup_fail(&err);
}
