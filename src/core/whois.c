/* Who answers for an address, a network, an autonomous system or a name: as `comity whois`. */
#include "core/evidence.h"
#include "core/node.h"
#include "core/told.h"
#include "model/asked.h"
#include "model/special.h"

enum { ANSWER_BYTES = 64 * 1024 };

static void
tell_team(const struct core *core, struct team_id id, struct buf *out)
{
    if (id.index == 0) {
        told_text(out, "team_name", SPAN(""));
        return;
    }
    const struct team *team = roster_team(core->roster, id);
    told_text(out, "team_name", team->name);
    told_flag(out, "verified", team->verified);
    told_text(out, "word", team->word);
}

int
core_whois(struct core *core, struct ask *ask, struct err *err)
{
    const struct world world = core_world(core);
    struct buf out = buf_new(ANSWER_BYTES);
    struct span text = span_trim(wire_text(&ask->in));
    struct asked asked;
    struct attribution attribution;
    char msg[ERR_MSG_BYTES];

    int rc = asked_understand(text, &asked, err);
    if (rc != 0) {
        memcpy(msg, err->msg, sizeof msg);
        return err_set_field(err, (enum err_code)rc, "q", 1, "%s", msg);
    }
    attribute_endpoint(&world, &asked.endpoint, &attribution);
    const char *special = asked.endpoint.ip.family != 0 ? special_word(&asked.endpoint.ip) : NULL;
    buf_add_char(&out, '{');
    told_text(&out, "query", text);
    told_word(&out, "kind", asked.kind);
    evidence_members(
        core, &asked.endpoint, &attribution, knowledge_team_id(core, attribution.team), &out);
    tell_team(core, attribution.team, &out);
    told_word(&out, "special", special);
    buf_add_char(&out, '}');
    return node_answer(core, ask, &out, err);
}
