/* node.h: how does a command ask the running node, and show what it says?
 *
 * The node of --home's folder, over its local door (edge/client.h).
 */
#ifndef COMITY_CLI_NODE_H
#define COMITY_CLI_NODE_H

#include "edge/client.h"
#include "fmt/json.h"

struct node {
    const char *home; /* as given; NULL: where it is by default */
    bool json;        /* print the node's answers as they are */
    struct client *client;
    struct json *parser;
    struct client_answer answer; /* the last one */
};

/* What the options do, for --help. */
#define NODE_HELP                                                                                  \
    "  --home DIR           the node's data folder (default: $COMITY_HOME, else where serve "      \
    "keeps "                                                                                       \
    "it)\n"                                                                                        \
    "  --json               what the node answers, as it is\n"

/* --home DIR, --json: 1 if argv[*i] was one (and *i stands on its last word); 0; ERR_USAGE. */
MUST_USE int node_option(struct node *node, int argc, char **argv, int *i, struct err *err);
/* All of them, of a COMMAND that has no others. ERR_USAGE. */
MUST_USE int node_options(
    struct node *node, int argc, char **argv, const char *command, struct err *err);
/* Owner: the caller until node_close, also after an error. ERR_NOT_FOUND: no node runs there. */
MUST_USE int node_open(struct node *node, struct err *err);
void node_close(struct node *node);

/* Ask, and read the answer as JSON into *ROOT, which lives until the next question. A problem is
 * an error. JSON may be empty: no body. */
MUST_USE int node_ask(struct node *node, const char *method, const char *path, struct span json,
    struct json_value *root, struct err *err);

/* The same for a PATH that was put together: it is ended here, and freed. ERR_LIMIT when it is
 * full.
 */
MUST_USE int node_ask_built(struct node *node, const char *method, struct buf *path,
    struct span json, struct json_value *root, struct err *err);

/* One page of the list that PATH, which is freed, asks for: what ADD puts into OUT of each of its
 * items is printed. NEXT, of SIZE, is where it goes on: "" at the end. What ADD returns; ERR_LIMIT,
 * ERR_IO. */
typedef int node_item(void *ctx, struct json_value item, struct buf *out, struct err *err);
MUST_USE int node_page(struct node *node, struct buf *path, node_item *add, void *ctx, char *next,
    size_t size, struct err *err);
/* An item as the node gave it, in a line of its own. */
void node_json_line(struct buf *out, struct json_value item);

/* Print the last answer as it came (--json). ERR_IO. */
MUST_USE int node_print_answer(const struct node *node, struct err *err);

/* Add NAME=VALUE to PATH, whose question may have begun; NULL or "": nothing. */
void node_parameter(struct buf *path, const char *name, const char *value);

/* Members for tables: text, or "" for null and what is absent; a number, or 0. */
struct span node_text(struct json_value object, const char *name);
uint64_t node_number(struct json_value object, const char *name);
/* NAME of an object in an object ("source", "address"). */
struct span node_text_in(struct json_value object, const char *outer, const char *name);
bool node_flag(struct json_value object, const char *name);
/* For json_next; without an item if there is no such list. */
struct json_iter node_list(struct json_value object, const char *name);
/* Add TEXT as a terminal may see it, padded to WIDTH columns, and a space. What is wider pushes the
 * rest of its line: an id that is cut cannot be named to any command. */
void node_column(struct buf *out, struct span text, size_t width);
/* End the line, without the last column's space. */
void node_end_line(struct buf *out);

#endif
