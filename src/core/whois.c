/* Who answers for an address, a network, an autonomous system or a name: as `comity whois`. */
#include "core/evidence.h"
#include "core/node.h"
#include "core/told.h"
#include "model/domain.h"
#include "model/special.h"

enum { ANSWER_BYTES = 64 * 1024 };

static bool
is_asn(struct span text, uint32_t *asn)
{
    struct span digits = text;
    uint64_t value;

    if (digits.n > 2 && (digits.p[0] | 0x20) == 'a' && (digits.p[1] | 0x20) == 's')
        digits = (struct span){text.p + 2, text.n - 2};
    if (!span_u64(digits, &value) || value > UINT32_MAX)
        return false;
    *asn = (uint32_t)value;
    return true;
}

static bool
looks_like_address(struct span text)
{
    bool dotted = text.n > 0;

    if (memchr(text.p, ':', text.n) != NULL || memchr(text.p, '/', text.n) != NULL)
        return true;
    for (size_t i = 0; i < text.n; i++)
        dotted = dotted && (text.p[i] == '.' || (text.p[i] >= '0' && text.p[i] <= '9'));
    return dotted;
}

static int
understand(struct span text, struct endpoint *out, const char **kind, struct err *err)
{
    char name[DOMAIN_BYTES];
    size_t n;

    *out = (struct endpoint){0};
    *kind = "asn";
    if (is_asn(text, &out->asn))
        return out->asn != 0 ? 0 : err_set(err, ERR_BAD_NUMBER, "AS numbers go from 1");
    if (looks_like_address(text)) {
        *kind = "address";
        int rc = prefix_parse(text, &out->ip, err);
        out->ip.bits = out->ip.family == 4 ? 32 : 128;
        return rc;
    }
    *kind = "domain";
    out->name = text;
    int rc = domain_normalise(text, name, &n, err);
    return rc != 0 || memchr(name, '.', n) != NULL
        ? rc
        : err_set(err, ERR_BAD_NAME,
            "\"%.*s\" is no address, AS number or domain name with a dot in it", SPAN_ARGS(text));
}

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
    struct endpoint endpoint;
    struct attribution attribution;
    const char *kind;
    char msg[ERR_MSG_BYTES];

    int rc = understand(text, &endpoint, &kind, err);
    if (rc != 0) {
        memcpy(msg, err->msg, sizeof msg);
        return err_set_field(err, (enum err_code)rc, "q", 1, "%s", msg);
    }
    attribute_endpoint(&world, &endpoint, &attribution);
    const char *special = endpoint.ip.family != 0 ? special_word(&endpoint.ip) : NULL;
    buf_add_char(&out, '{');
    told_text(&out, "query", text);
    told_word(&out, "kind", kind);
    evidence_members(
        core, &endpoint, &attribution, knowledge_team_id(core, attribution.team), &out);
    tell_team(core, attribution.team, &out);
    told_word(&out, "special", special);
    buf_add_char(&out, '}');
    return node_answer(core, ask, &out, err);
}
