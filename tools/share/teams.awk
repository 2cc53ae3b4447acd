# teams.awk: teams.csv to team cards. Names, economies, sites and constituencies only.
#
# Of the constituencies only what today's tables bear out is kept: a prefix or AS number must be registered
# in the team's own economy, a domain must look like one and not like a slip of the pen.

BEGIN {
    print "["
    # Where two teams call themselves national, the one in charge today.
    rank["ch-ncsc-ch"] = rank["dk-cfcs"] = rank["ro-dnsc-ex-cert-ro"] = 1
}

FNR == 1 { file++; if (file == 3) { n = csv($0); for (i = 1; i <= n; i++) column[F[i]] = i } next }
file == 1 { csv($0); first[ranges] = F[1]; last[ranges] = F[2]; holder[ranges++] = F[3]; next }
file == 2 { csv($0); home[F[1]] = F[2]; next }

function text(s) {
    gsub(/\\/, "\\\\", s)
    gsub(/"/, "\\\"", s)
    gsub(/[\001-\037]/, " ", s)
    return "\"" s "\""
}

function economy_of(ip,    low, high, middle) {
    low = 0
    high = ranges - 1
    while (low < high) {
        middle = int((low + high + 1) / 2)
        if (first[middle] + 0 <= ip)
            low = middle
        else
            high = middle - 1
    }
    return first[low] + 0 <= ip && ip <= last[low] + 0 ? holder[low] : ""
}

function good_net(net, economy,    p, ip, size) {
    if (split(net, p, /[.\/]/) != 5 || p[5] < 8 || p[5] > 32)
        return 0
    ip = ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4]
    size = 2 ^ (32 - p[5])
    if (ip % size != 0)
        return 0
    return economy_of(ip) == economy && economy_of(ip + size - 1) == economy
}

function good_domain(name) {
    if (name !~ /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.[a-z][a-z]+$/)
        return 0
    return name !~ /^(as[0-9]+|www\.)/ && name !~ /\.(arpa|txt|ac|muni)$/
}

function list(items, what, economy,    n, i, p, out, good) {
    n = split(items, p, " ")
    out = ""
    for (i = 1; i <= n; i++) {
        if (what == "prefixes")
            good = good_net(p[i], economy)
        else if (what == "asns")
            good = home[p[i]] == economy
        else
            good = good_domain(p[i])
        if (good && !((what, p[i], NR) in said)) {
            said[what, p[i], NR]
            out = out (out == "" ? "" : ", ") (what == "asns" ? p[i] : text(p[i]))
        }
    }
    return out == "" ? "" : "\"" what "\": [" out "]"
}

function joined(a, b) { return a == "" ? b : b == "" ? a : a ", " b }

file == 3 {
    n = csv($0)
    for (name in column)
        v[name] = F[column[name]]
    if (v["id"] == "")
        next
    site = v["url"]
    sub(/[.\/]*$/, "", site)
    held = joined(joined(list(v["nets"], "prefixes", v["economy"]), list(v["asns"], "asns", v["economy"])), \
        list(v["domains"], "domains", v["economy"]))
    card = "{\"id\": " text(v["id"]) ", \"name\": " text(v["name"])
    if (v["full_name"] != "" && v["full_name"] != v["name"])
        card = card ", \"full_name\": " text(v["full_name"])
    card = card ", \"kind\": " text(v["kind"]) ", \"economies\": ["
    if (v["id"] in rank)
        card = card "{\"economy\": \"" v["economy"] "\", \"scope\": \"all\", \"rank\": 1}]"
    else
        card = card "\"" v["economy"] "\"]"
    if (held != "")
        card = card ", \"constituency\": {" held "}"
    if (site ~ /^https?:\/\/[a-z0-9]/)
        card = card ", \"site\": " text(site)
    card = card ", \"source\": " text("demonstration directory; " v["source"]) \
        ", \"source_date\": \"" v["status"] "\", \"verified\": false}"
    printf "%s%s", (count++ > 0 ? ",\n" : ""), card
}

END { print "\n]" }
