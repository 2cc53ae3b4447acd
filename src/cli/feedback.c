/* comity feedback: tell the team that gave a report what became of it here. */
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/reportid.h"
#include "cli/setup.h"
#include "model/opinion.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 128, QUESTION_BYTES = 64 * 1024, OUT_BYTES = 64 * 1024 };

struct feedback {
    struct node node;
    const char *id;
    const char *opinion; /* NULL: a sighting */
    const char *count;
    const char *note;
    bool sighting;
};

static const char usage[] =
    "usage: comity feedback --opinion OPINION [--note TEXT] [--json] [--home DIR] REPORT-ID\n"
    "       comity feedback --sighting [--count N] [--note TEXT] [--json] [--home DIR] "
    "REPORT-ID\n\n"
    "Tell the team that gave a report to this node what is thought of it, or that it was seen "
    "here.\n"
    "It is passed back to the report's origin, node by node, each in its own name; nobody else "
    "hears\n"
    "of it.\n\n"
    "  REPORT-ID            as the node has it, or as other nodes know it\n"
    "  --opinion OPINION    strongly-disagree, disagree, neutral, agree or strongly-agree\n"
    "  --sighting           what it reports was seen here, too\n"
    "  --count N            so many times; 1 if it is not said\n"
    "  --note TEXT          for the people there\n" NODE_HELP;

static int
one_option(struct feedback *feedback, int argc, char **argv, int *i, struct err *err)
{
    int rc = setup_option(argc, argv, i, "opinion", &feedback->opinion, err);

    if (rc == 0)
        rc = setup_option(argc, argv, i, "count", &feedback->count, err);
    if (rc == 0)
        rc = setup_option(argc, argv, i, "note", &feedback->note, err);
    if (rc == 0)
        rc = node_option(&feedback->node, argc, argv, i, err);
    if (rc == 0 && strcmp(argv[*i], "--sighting") == 0) {
        feedback->sighting = true;
        rc = 1;
    }
    if (rc == 0 && argv[*i][0] != '-' && feedback->id == NULL) {
        feedback->id = argv[*i];
        rc = 1;
    }
    return rc != 0
        ? rc
        : err_set(err, ERR_USAGE, "no option %s; `comity feedback --help` lists them", argv[*i]);
}

static int
parse(struct feedback *feedback, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        int rc = one_option(feedback, argc, argv, &i, err);
        if (rc < 0)
            return rc;
    }
    if (feedback->id == NULL || !reportid_is(feedback->id))
        return err_set(err, ERR_USAGE, "name the report by its id, a UUID");
    if (feedback->sighting == (feedback->opinion != NULL))
        return err_set(err, ERR_USAGE, "say either --opinion OPINION or --sighting");
    if (!feedback->sighting && opinion_find(span_of(feedback->opinion)) == OPINION_NONE)
        return err_set(err, ERR_USAGE, "\"%s\" is no opinion; `comity feedback --help` lists them",
            feedback->opinion);
    return feedback->count == NULL || feedback->sighting
        ? 0
        : err_set(err, ERR_USAGE, "--count is of sightings");
}

static int
build(const struct feedback *feedback, struct buf *out, struct err *err)
{
    uint64_t count = 1;

    if (feedback->count != NULL && (!span_u64(span_of(feedback->count), &count) || count == 0))
        return err_set(err, ERR_USAGE, "\"%s\" is no number of sightings", feedback->count);
    buf_add_char(out, '{');
    if (feedback->sighting) {
        buf_format(out, "\"sightings\":%llu", (unsigned long long)count);
    } else {
        buf_add_text(out, "\"opinion\":");
        json_add_string(out, span_of(feedback->opinion));
    }
    if (feedback->note != NULL) {
        buf_add_text(out, ",\"note\":");
        json_add_string(out, span_of(feedback->note));
    }
    buf_add_char(out, '}');
    return buf_check(out, "the question", err);
}

static int
say(struct feedback *feedback, struct err *err)
{
    struct buf question = buf_new(QUESTION_BYTES);
    struct buf out = buf_new(OUT_BYTES);
    struct json_value root;
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "/api/v1/reports/%s/feedback", feedback->id);
    int rc = build(feedback, &question, err);
    if (rc == 0)
        rc = node_ask(&feedback->node, "POST", path, buf_span(&question), &root, err);
    buf_free(&question);
    if (rc == 0 && feedback->node.json)
        rc = node_print_answer(&feedback->node, err);
    else if (rc == 0) {
        node_column(&out, node_text(root, "to"), 0);
        buf_add_text(&out, "is told\n");
        rc = setup_print(&out, "the answer", err);
    }
    buf_free(&out);
    return rc;
}

int
cli_feedback(int argc, char **argv)
{
    struct feedback feedback = {0};
    struct err err = {0};

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    int rc = parse(&feedback, argc, argv, &err);
    if (rc == 0)
        rc = node_open(&feedback.node, &err);
    if (rc == 0)
        rc = say(&feedback, &err);
    node_close(&feedback.node);
    return rc != 0 ? setup_fail(&err) : EXIT_DONE;
}
