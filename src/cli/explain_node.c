#include "cli/explain_node.h"

#include "cli/node.h"
#include "cli/setup.h"
#include "cli/shown.h"

#include <stdio.h>

enum { OUT_BYTES = 64 * 1024 * 1024, PATH_BYTES = 128, WIDTH = 14 };

static bool
object(struct json_value outer, const char *name, struct json_value *out)
{
    return json_get(outer, name, out) && json_type(*out) == JSON_OBJECT;
}

static void
line(struct buf *out, const char *name, struct span text)
{
    if (text.n == 0)
        return;
    buf_add_text(out, "  ");
    node_column(out, span_of(name), WIDTH);
    node_column(out, text, 0);
    node_end_line(out);
}

static void
put_evidence(struct buf *out, struct json_value side, const char *when)
{
    struct json_value evidence;

    if (!object(side, when, &evidence))
        return;
    buf_add_text(out, "  ");
    node_column(out, span_of(when), WIDTH);
    struct span team = node_text(evidence, "team");
    node_column(out, team.n > 0 ? team : SPAN("nobody"), 0);
    buf_add_text(out, "by ");
    node_column(out, node_text(evidence, "rule_text"), 0);
    if (node_text(evidence, "economy").n > 0) {
        buf_add_text(out, "economy ");
        node_column(out, node_text(evidence, "economy"), 0);
    }
    if (node_number(evidence, "asn") != 0)
        buf_format(out, "AS%llu ", (unsigned long long)node_number(evidence, "asn"));
    node_column(out, node_text(evidence, "prefix"), 0);
    node_end_line(out);
}

static void
put_side(struct buf *out, struct json_value root, const char *name)
{
    struct json_value side;

    if (!object(root, name, &side))
        return;
    buf_format(out, "\n%s\n", name);
    line(out, "address", node_text(side, "address"));
    line(out, "name", node_text(side, "name"));
    put_evidence(out, side, "then");
    put_evidence(out, side, "now");
}

static void
put_verdict(struct buf *out, struct json_value recipient, const char *when)
{
    struct json_value verdict;
    struct json_value clause;
    struct span key;

    if (!object(recipient, when, &verdict))
        return;
    buf_add_text(out, "  ");
    node_column(out, span_of(when), WIDTH);
    shown_add(out, node_text(verdict, "effect"), WIDTH);
    buf_add_text(out, ": ");
    node_column(out, node_text(verdict, "reason_text"), 0);
    node_end_line(out);
    struct json_iter clauses = node_list(verdict, "clauses");
    while (json_next(&clauses, &key, &clause)) {
        struct span title = node_text(clause, "title");
        buf_add_text(out, "  ");
        node_column(out, SPAN("clause"), WIDTH);
        node_column(out, title.n > 0 ? title : node_text(clause, "agreement"), 0);
        buf_add_char(out, '#');
        node_column(out, node_text(clause, "clause"), 0);
        node_end_line(out);
    }
}

/* A field's value, as text if it is one. */
static void
put_value(struct buf *out, struct json_value field, const char *name)
{
    struct json_value value;
    struct buf text = buf_new(OUT_BYTES);

    if (json_get(field, name, &value)) {
        json_add_value(&text, value);
        node_column(out, buf_span(&text), 0);
    }
    buf_free(&text);
}

static void
put_fields(struct buf *out, struct json_value recipient)
{
    struct json_iter fields = node_list(recipient, "fields");
    struct json_value field;
    struct span key;

    while (json_next(&fields, &key, &field)) {
        buf_add_text(out, "    ");
        node_column(out, node_text(field, "name"), 30);
        node_column(out, node_text(field, "class"), 8);
        node_column(out, node_text(field, "treatment"), 12);
        node_column(out, node_text(field, "result"), 8);
        put_value(out, field, "before");
        if (span_equal(node_text(field, "result"), SPAN("changed"))) {
            buf_add_text(out, "-> ");
            put_value(out, field, "after");
        }
        node_end_line(out);
    }
}

static void
put_history(struct buf *out, struct json_value recipient)
{
    struct json_iter steps = node_list(recipient, "history");
    struct json_value step;
    struct span key;

    while (json_next(&steps, &key, &step)) {
        buf_add_text(out, "  ");
        node_column(out, node_text(step, "what"), WIDTH);
        node_column(out, node_text(step, "at"), 0);
        node_column(out, node_text(step, "by"), 0);
        node_column(out, node_text(step, "why"), 0);
        buf_add_char(out, '\n');
    }
}

static void
put_recipients(struct buf *out, struct json_value root)
{
    struct json_iter recipients = node_list(root, "recipients");
    struct json_value recipient;
    struct span key;

    while (json_next(&recipients, &key, &recipient)) {
        struct span team = node_text(recipient, "team");
        buf_add_text(out, "\nfor ");
        node_column(out, team.n > 0 ? team : SPAN("nobody"), 0);
        node_column(out, node_text(recipient, "name"), 0);
        buf_add_char(out, '\n');
        put_verdict(out, recipient, "then");
        put_verdict(out, recipient, "now");
        put_history(out, recipient);
        put_fields(out, recipient);
    }
}

/* Elements of the list NAME, in one line. */
static void
put_list(struct buf *out, const char *title, struct json_value root, const char *name)
{
    struct json_iter items = node_list(root, name);
    struct json_value item;
    struct span key;
    bool first = true;

    while (json_next(&items, &key, &item)) {
        if (first) {
            buf_add_text(out, "  ");
            node_column(out, span_of(title), WIDTH);
        } else {
            out->n--;
            buf_add_text(out, ", ");
        }
        first = false;
        node_column(out, json_string(item), 0);
    }
    if (!first)
        node_end_line(out);
}

static void
put_recalled(struct buf *out, struct json_value root)
{
    struct json_value recalled;

    if (!object(root, "recalled", &recalled))
        return;
    buf_add_text(out, "  ");
    node_column(out, SPAN("recalled"), WIDTH);
    node_column(out, node_text(recalled, "at"), 0);
    buf_add_text(out, "by ");
    node_column(out, node_text(recalled, "team"), 0);
    node_column(out, node_text(recalled, "by"), 0);
    node_column(out, node_text(recalled, "why"), 0);
    node_end_line(out);
    line(out, "corrected by", node_text(recalled, "corrected_by"));
}

static void
put_feedback(struct buf *out, struct json_value root)
{
    struct json_iter items = node_list(root, "feedback");
    struct json_value item;
    struct span key;

    while (json_next(&items, &key, &item)) {
        buf_add_text(out, "  ");
        node_column(out, SPAN("feedback"), WIDTH);
        node_column(out, node_text(item, "at"), 0);
        node_column(out, node_text(item, "team"), 0);
        node_column(out, node_text(item, "by"), 0);
        if (node_number(item, "sightings") > 0)
            buf_format(out, "seen %llu times ", (unsigned long long)node_number(item, "sightings"));
        node_column(out, node_text(item, "opinion"), 0);
        node_column(out, node_text(item, "note"), 0);
        node_end_line(out);
    }
}

static int
show(struct json_value root, struct err *err)
{
    struct buf out = buf_new(OUT_BYTES);

    node_column(&out, node_text(root, "id"), 0);
    buf_add_char(&out, '\n');
    line(&out, "received", node_text(root, "received"));
    line(&out, "time", node_text(root, "time"));
    line(&out, "classification", node_text(root, "classification"));
    line(&out, "tlp", node_text(root, "tlp"));
    line(&out, "provider", node_text(root, "provider"));
    if (!span_equal(node_text(root, "known_as"), node_text(root, "id")))
        line(&out, "known as", node_text(root, "known_as"));
    put_list(&out, "came through", root, "path");
    line(&out, "corrects", node_text(root, "corrects"));
    put_recalled(&out, root);
    put_feedback(&out, root);
    put_side(&out, root, "source");
    put_side(&out, root, "destination");
    put_recipients(&out, root);
    int rc = setup_print(&out, "the answer", err);
    buf_free(&out);
    return rc;
}

int
explain_node(const char *home, const char *id, bool json, struct err *err)
{
    struct node node = {.home = home, .json = json};
    struct json_value root;
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof path, "/api/v1/reports/%s/explanation", id);
    int rc = node_open(&node, err);
    if (rc == 0)
        rc = node_ask(&node, "GET", path, SPAN(""), &root, err);
    if (rc == 0)
        rc = json ? node_print_answer(&node, err) : show(root, err);
    node_close(&node);
    return rc;
}
