/* manual: fills a manual page's template from the tables that the program is made of.
 *
 * usage: manual PAGE.in [HELP [SUBCOMMAND.help...]]
 * A line `@word@` or `@word argument@` of the template is replaced by what the table
 * of that name says, in mdoc; HELP is a file with the command's own --help, the
 * others are those of its own commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *help_path;
static char **more_help; /* up to NULL */

/* Text in which mdoc must see neither a request nor an escape. */
static void
put_text(const char *text)
{
    if (*text == '.' || *text == '\'')
        (void)fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            (void)fputs("\\e", stdout);
        else if (*text == '-')
            (void)fputs("\\-", stdout);
        else
            (void)putchar(*text);
    }
}

/* "WORD": the sentence, as one item of a tagged list. */
static void
put_item(const char *word, const char *text)
{
    (void)printf(".It Sy \"");
    put_text(word);
    (void)printf("\"\n");
    put_text(text);
    (void)putchar('\n');
}

static void
commands(const char *argument)
{
    (void)argument;
#define COMMAND(function, name, arguments, text)                                                   \
    (void)printf(".It Cm " name);                                                                  \
    if (arguments[0] != '\0')                                                                      \
        (void)printf(" Ar \"" arguments "\"");                                                     \
    (void)putchar('\n');                                                                           \
    put_text(text);                                                                                \
    (void)printf(".\n");
#include "tables/commands.def"
#undef COMMAND
}

/* One command's line of NAME or of SYNOPSIS; a template naming no command is a mistake. */
static void
command_line(const char *wanted, int synopsis)
{
#define COMMAND(function, name, arguments, text)                                                   \
    if (strcmp(wanted, name) == 0) {                                                               \
        if (synopsis)                                                                              \
            (void)printf(".Nm comity " name "\n.Ar \"%s\"\n", arguments);                          \
        else                                                                                       \
            (void)printf(".Nd " text "\n");                                                        \
        return;                                                                                    \
    }
#include "tables/commands.def"
#undef COMMAND
    (void)fprintf(stderr, "manual: no command \"%s\" in tables/commands.def\n", wanted);
    exit(1);
}

static void
about(const char *argument)
{
    command_line(argument, 0);
}

static void
synopsis(const char *argument)
{
    command_line(argument, 1);
}

static void
put_help(const char *path)
{
    char line[4096];
    FILE *in = path == NULL ? NULL : fopen(path, "r");

    if (in == NULL) {
        (void)fprintf(stderr, "manual: @help@ needs the file with the command's --help\n");
        exit(1);
    }
    (void)printf(".Bd -literal\n");
    while (fgets(line, sizeof line, in) != NULL)
        put_text(line);
    (void)printf(".Ed\n");
    (void)fclose(in);
}

static void
help(const char *argument)
{
    (void)argument;
    put_help(help_path);
}

/* Each under its own name: COMMAND-NAME.help. */
static void
helps(const char *argument)
{
    (void)argument;
    for (char **path = more_help; *path != NULL; path++) {
        const char *file = strrchr(*path, '/') == NULL ? *path : strrchr(*path, '/') + 1;
        const char *name = strchr(file, '-') == NULL ? file : strchr(file, '-') + 1;
        (void)printf(".Ss %.*s\n", (int)strcspn(name, "."), name);
        put_help(*path);
    }
}

static void
errors(const char *argument)
{
    char title[128];

#define ERROR(name, number, kind, http, word, text)                                                \
    if (strcmp(argument, #kind) == 0) {                                                            \
        (void)snprintf(title, sizeof title, "%s (%d, HTTP %d)", word, number, http);               \
        put_item(title, text);                                                                     \
    }
#include "tables/errors.def"
#undef ERROR
}

/* What a value of this kind looks like. */
static const char *
form(const char *type)
{
    static const char *const forms[][2] = {{"BOOL", "on or off"}, {"NUMBER", "a number"},
        {"DURATION", "a duration (ms, s, min, h, d)"}, {"SIZE", "a size (B, KiB, MiB, GiB)"},
        {"ADDRESS", "an address and port"}, {"PATH", "a path"}, {"ENUM", "one of"},
        {"CLOCK", "a time of day (HH:MM, UTC)"}, {"TEXT", "text"}};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i][0], type) == 0)
            return forms[i][1];
    (void)fprintf(stderr, "manual: no option has type \"%s\"\n", type);
    exit(1);
}

/* Every setting, one part of the page a section. */
static void
options(const char *argument)
{
    const char *opened = "";

    (void)argument;
#define SECTION(title)                                                                             \
    (void)printf("%s.Ss " title "\n.Bl -tag -width Ds\n", opened);                                 \
    opened = ".El\n";
#define OPTION(name, word, type, least, most, usual, unit, applies, text)                          \
    (void)printf(".It Sy " word "\n");                                                             \
    put_text(text ".");                                                                            \
    (void)printf("\n.Pp\n");                                                                       \
    put_text(form(#type));                                                                         \
    (void)printf("%s%s; ", unit[0] == '\0' ? "" : " ", unit);                                      \
    put_text(usual[0] == '\0' ? "empty if it is not set" : "default " usual);                      \
    put_text(strcmp(#applies, "RELOAD") == 0 ? "; applies at SIGHUP.\n"                            \
                                             : "; applies when the node is started again.\n");
#include "tables/options.def"
#undef OPTION
    (void)printf("%s", opened);
}

static void
fields(const char *argument)
{
    (void)argument;
#define FIELD(name, idf, type, class) (void)printf(".It " idf " Ta " #type " Ta " #class "\n");
#include "tables/fields.def"
#undef FIELD
}

static void
classifications(const char *argument)
{
    (void)argument;
#define CLASSIFICATION(name, taxonomy, type) (void)printf(".It " taxonomy " Ta " type "\n");
#define CLASSIFICATION_ALIAS(text, name)
#include "tables/classification.def"
#undef CLASSIFICATION
#undef CLASSIFICATION_ALIAS
}

static void
classes(const char *argument)
{
    (void)argument;
#define FIELD_CLASS(name, word, text) put_item(word, text ".");
#include "tables/policy.def"
#undef FIELD_CLASS
}

static void
reasons(const char *argument)
{
    (void)argument;
#define REASON(name, word, text) put_item(word, text ".");
#include "tables/policy.def"
#undef REASON
}

static void
rules(const char *argument)
{
    (void)argument;
#define ATTRIBUTION_RULE(name, word, text) put_item(word, text ".");
#include "tables/policy.def"
#undef ATTRIBUTION_RULE
}

/* The words of an ordered vocabulary, in its order. */
static void
words(const char *argument)
{
#define TREATMENT(name, word)                                                                      \
    if (strcmp(argument, "treatment") == 0)                                                        \
        (void)printf(".It\n.Sy " word "\n");
#define EFFECT(name, word)                                                                         \
    if (strcmp(argument, "effect") == 0)                                                           \
        (void)printf(".It\n.Sy " word "\n");
#define TLP(name, word, label)                                                                     \
    if (strcmp(argument, "tlp") == 0 && label[0] != '\0')                                          \
        (void)printf(".It\n.Sy " label "\n");
#include "tables/policy.def"
#undef TREATMENT
#undef EFFECT
#undef TLP
}

static void
version(const char *argument)
{
    (void)argument;
    (void)printf(".Os \"Comity " COMITY_VERSION "\"\n");
}

static const struct directive {
    const char *word;
    void (*print)(const char *argument);
} directives[] = {
    {"commands", commands},
    {"about", about},
    {"synopsis", synopsis},
    {"help", help},
    {"helps", helps},
    {"errors", errors},
    {"options", options},
    {"fields", fields},
    {"classifications", classifications},
    {"classes", classes},
    {"reasons", reasons},
    {"rules", rules},
    {"words", words},
    {"os", version},
};

/* LINE is "@word argument@\n". */
static int
expand(char *line)
{
    char *end = strrchr(line, '@');
    char *argument = strchr(line, ' ');

    *end = '\0';
    if (argument != NULL)
        *argument++ = '\0';
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        if (strcmp(line + 1, directives[i].word) == 0) {
            directives[i].print(argument == NULL ? "" : argument);
            return 0;
        }
    (void)fprintf(stderr, "manual: no directive \"%s\"\n", line + 1);
    return 1;
}

int
main(int argc, char **argv)
{
    char line[4096];
    int failed = 0;
    FILE *in = argc < 2 ? NULL : fopen(argv[1], "r");

    if (in == NULL) {
        (void)fprintf(stderr, "usage: manual PAGE.in [HELP [SUBCOMMAND.help...]]\n");
        return 2;
    }
    help_path = argc > 2 ? argv[2] : NULL;
    more_help = argv + (argc > 3 ? 3 : argc);
    while (fgets(line, sizeof line, in) != NULL) {
        size_t n = strlen(line);
        if (n > 2 && line[0] == '@' && line[n - 2] == '@')
            failed |= expand(line);
        else
            (void)fputs(line, stdout);
    }
    (void)fclose(in);
    return failed || fflush(stdout) != 0;
}
