# shadowserver.awk: synthetic rows of one report TYPE in the columns that Shadowserver publishes.
#
# Every economy gets the same number of rows, at addresses drawn from its own ranges, so that all the world's
# teams have something to do. Providers' own sinkholes and sensors stand at documentation addresses. Nothing
# here was observed. Deterministic: a linear congruential generator with the type as its seed.

BEGIN {
    ROWS = 12
    V6 = type ~ /6_/
    for (i = 1; i <= length(type); i++)
        state = (state * 31 + index("abcdefghijklmnopqrstuvwxyz0123456789_", substr(type, i, 1))) % 65536
}

function random(n) {
    state = (state * 69069 + 12345) % 4294967296
    return int(state / 4294967296 * n)
}

FNR == 1 { file++ }

# reports.json as published: one member a line, a report's columns in order.
file == 1 {
    if ($1 == "\"" type "\"" && $2 == ":")
        inside = 1
    if (inside && $1 == "\"fields\"")
        listing = 1
    else if (listing && $1 ~ /^\]/)
        inside = listing = 0
    else if (listing) {
        gsub(/[",[:space:]]/, "")
        column[++columns] = $0
    }
    next
}
FNR == 1 { next }
{ csv($0) }
file == 2 || file == 3 {
    if (file == (V6 ? 3 : 2)) {
        if (!(F[3] in count))
            economies[++economy_count] = F[3]
        i = count[F[3]]++
        start[F[3], i] = F[1]
        end[F[3], i] = F[2]
    }
    next
}
{ from[networks] = F[1] + 0; to[networks] = F[2] + 0; origin[networks++] = F[3] }

function asn_of(ip,    low, high, middle) {
    low = 0
    high = networks - 1
    while (low < high) {
        middle = int((low + high + 1) / 2)
        if (from[middle] <= ip)
            low = middle
        else
            high = middle - 1
    }
    return from[low] <= ip && ip <= to[low] ? origin[low] : ""
}

function dotted(ip) {
    return int(ip / 16777216) "." int(ip / 65536) % 256 "." int(ip / 256) % 256 "." ip % 256
}

# Sets ADDRESS and ASN to a place in ECONOMY.
function place(economy,    i, ip, tries) {
    do {
        i = random(count[economy])
        if (V6) {
            ASN = ""
            ADDRESS = start[economy, i] sprintf("%x:%x", 1 + random(65000), 1 + random(65000))
            if (start[economy, i] ~ /^[0-9a-f:]+[0-9a-f]::$/)
                return
        } else {
            ip = start[economy, i] + random(end[economy, i] - start[economy, i] + 1)
            ASN = asn_of(ip)
            ADDRESS = dotted(ip)
            if (ip % 256 != 0 && ip % 256 != 255 && ASN != "")
                return
        }
    } while (tries++ < 40)
}

function pick(words,    p, n) {
    n = split(words, p, " ")
    return p[1 + random(n)]
}

function value(name) {
    if (name in given)
        return given[name]
    return name in fixed ? fixed[name] : ""
}

function common(    second) {
    second = random(86400)
    given["timestamp"] = sprintf("2026-11-01 %02d:%02d:%02d", int(second / 3600), int(second / 60) % 60, second % 60)
    given["event_id"] = sprintf("%08x%08x", random(4294967296), random(4294967296))
}

function event(economy) {
    given["src_ip"] = ADDRESS
    given["src_asn"] = ASN
    given["src_geo"] = economy
    given["src_port"] = 1024 + random(64000)
    given["dst_ip"] = V6 ? sprintf("2001:db8:0:%x::53", random(16)) : "192.0.2." (1 + random(250))
    if (type ~ /sinkhole/) {
        given["infection"] = pick("avalanche-andromeda andromeda necurs gamut mirai qakbot ranbyus sality")
        given["family"] = given["infection"]
        given["http_host"] = sprintf("c%05x.sinkhole.example", random(1048576))
        given["http_url"] = "/gate.php"
        given["dst_port"] = pick("80 443 8080")
    } else if (type ~ /honeypot/) {
        given["dst_port"] = pick("22 22 23 3389 5900")
        given["username"] = pick("root admin user test oracle")
        given["password"] = pick("123456 password admin")
        given["service"] = given["dst_port"] == 23 ? "telnet" : "ssh"
        given["start_time"] = given["timestamp"]
    }
}

function ddos(economy,    attacker, asn) {
    attacker = ADDRESS
    asn = ASN
    victim = economies[1 + random(economy_count)]
    place(victim)
    given["dst_ip"] = ADDRESS
    given["dst_asn"] = ASN
    given["dst_geo"] = victim
    given["dst_port"] = pick("53 80 443")
    ADDRESS = attacker
    ASN = asn
    given["infection"] = given["family"] = "mirai"
    given["attack"] = pick("udp-plain tcp-syn http-get")
    given["duration"] = 30 + random(600)
}

function scan(economy) {
    given["ip"] = ADDRESS
    given["asn"] = ASN
    given["geo"] = economy
    given["port"] = port[type]
    given["hostname"] = "host-" random(100000) "." tolower(economy) ".example"
    given["mac_address"] = sprintf("02:00:5e:%02x:%02x:%02x", random(256), random(256), random(256))
    given["sha1_fingerprint"] = ""
    given["subject_common_name"] = "device-" random(100000)
    given["min_amplification"] = sprintf("%.4f", 1 + random(60000) / 10000)
    given["response_size"] = 60 + random(1200)
    if (type == "compromised_website") {
        given["http_host"] = given["hostname"]
        given["url"] = "wp-content/uploads/x.php"
        given["category"] = pick("phishing webshell spam")
        given["detected_since"] = "2026-10-25 00:00:00"
    }
}

END {
    fixed["severity"] = type ~ /scan/ ? "medium" : "high"
    fixed["protocol"] = type ~ /dns|snmp/ ? "udp" : "tcp"
    fixed["tag"] = type
    gsub(/^(event[46]|scan)_/, "", fixed["tag"])
    fixed["device_vendor"] = "ExampleCo"
    port["scan_rdp"] = 3389
    port["scan_dns"] = 53
    port["scan_snmp"] = 161
    port["compromised_website"] = 80
    if (columns == 0 || economy_count == 0) {
        print "shadowserver.awk: no columns for " type " or no ranges" >"/dev/stderr"
        exit 1
    }
    for (c = 1; c <= columns; c++)
        printf "\"%s\"%s", column[c], c < columns ? "," : "\n"
    for (r = 1; r <= ROWS; r++)
        for (e = 1; e <= economy_count; e++) {
            split("", given)
            place(economies[e])
            common()
            if (type ~ /^event/)
                event(economies[e])
            else
                scan(economies[e])
            if (type ~ /ddos/)
                ddos(economies[e])
            for (c = 1; c <= columns; c++)
                printf "\"%s\"%s", value(column[c]), c < columns ? "," : "\n"
        }
}
