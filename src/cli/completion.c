#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

/* Words between bars ("list|show|lint") are what may stand first behind the command. */
static void
print_choices(const char *name, const char *arguments)
{
    size_t n = strcspn(arguments, " ");
    size_t bar = strcspn(arguments, "|");

    if (bar >= n || arguments[0] == '[' || arguments[0] == '-')
        return;
    (void)printf("    %s) words=\"", name);
    for (size_t i = 0; i < n; i++)
        (void)putchar(arguments[i] == '|' ? ' ' : arguments[i]);
    (void)puts("\" ;;");
}

/* Options are asked of the command itself, so that they stand in one place. */
static void
print_bash(void)
{
    (void)fputs("_comity() {\n"
                "  local current=${COMP_WORDS[COMP_CWORD]} words=\n"
                "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "    words=\"help",
        stdout);
#define COMMAND(function, name, arguments, text) (void)printf(" %s", name);
#include "tables/commands.def"
#undef COMMAND
    (void)fputs(
        "\"\n"
        "  elif [ \"${current#-}\" != \"$current\" ]; then\n"
        "    local under=\n" /* of some commands each command has a help of its own */
        "    case ${COMP_WORDS[1]}:$COMP_CWORD in\n"
        "    *:2) ;;\n"
        "    agreement:* | ledger:*) under=${COMP_WORDS[2]} ;;\n"
        "    *) ;;\n"
        "    esac\n"
        "    words=$(comity \"${COMP_WORDS[1]}\" ${under:+\"$under\"} --help 2>/dev/null | grep "
        "-oE -e "
        "'--[a-z][a-z-]+' | sort -u)\n"
        "    if [ \"${COMP_WORDS[1]}\" = serve ]; then\n"
        "      words+=\" $(comity config list 2>/dev/null | sed -n 's/^\\([a-z][a-z.-]*\\) "
        ".*/--\\1/p')\"\n"
        "    fi\n"
        "  elif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
        "    case ${COMP_WORDS[1]} in\n",
        stdout);
#define COMMAND(function, name, arguments, text) print_choices(name, arguments);
#include "tables/commands.def"
#undef COMMAND
    (void)fputs("    *) ;;\n"
                "    esac\n"
                "  fi\n"
                "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                "}\n"
                "complete -o default -o bashdefault -F _comity comity\n",
        stdout);
}

int
cli_completion(int argc, char **argv)
{
    static const char help[] = "usage: comity completion bash\n\n"
                               "Prints a completion script; to use it in this shell:\n"
                               "  source <(comity completion bash)\n";

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(help, stdout);
        return EXIT_DONE;
    }
    if (argc != 2 || strcmp(argv[1], "bash") != 0) {
        (void)fputs(help, stderr);
        return EXIT_USAGE;
    }
    print_bash();
    return EXIT_DONE;
}
