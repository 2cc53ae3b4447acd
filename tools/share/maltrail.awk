# maltrail.awk: every so many of maltrail's indicators of one KIND (c2, scanner, domain, url) as sample reports.

BEGIN {
    step["c2"] = 14
    step["scanner"] = 8
    step["domain"] = 70
    step["url"] = 20
    header["c2"] = "time,ip,port,malware"
    header["scanner"] = "time,scanner_ip"
    header["domain"] = "time,domain,malware"
    header["url"] = "time,url,malware"
    print header[kind]
}

function row(rest) { print "2026-08-23T00:00:00Z," rest }

function mine() { return seen++ % step[kind] == 0 }

{
    csv($0)
    value = F[2]
    malware = F[3]
    if (value == "" || (value malware) ~ /[",[:cntrl:]\200-\377]/)
        next
}
kind == "c2" && F[1] == "ipv4-port" && F[4] == "malware" && mine() && split(value, p, ":") == 2 {
    row(p[1] "," p[2] "," malware)
}
kind == "scanner" && F[1] == "ipv6" { row(value) }
kind == "scanner" && F[1] == "ipv4" && F[4] == "mass_scanner" && mine() { row(value) }
kind == "domain" && F[1] == "domain" && F[4] == "malware" && value ~ /^[a-z0-9-]+(\.[a-z0-9-]+)+$/ && mine() {
    row(value "," malware)
}
kind == "url" && F[1] == "url" && F[4] == "malware" && value ~ /^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?\/[!-~]*$/ && mine() {
    row("http://" value "," malware)
}
