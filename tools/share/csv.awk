# csv.awk: split a CSV line (RFC 4180, no line breaks inside) into F[1..n]; returns n.
function csv(line,    n, rest, at) {
    n = 0
    rest = line
    sub(/\r$/, "", rest)
    for (;;) {
        n++
        if (substr(rest, 1, 1) == "\"") {
            F[n] = ""
            rest = substr(rest, 2)
            while ((at = index(rest, "\"")) > 0) {
                F[n] = F[n] substr(rest, 1, at - 1)
                rest = substr(rest, at + 1)
                if (substr(rest, 1, 1) != "\"")
                    break
                F[n] = F[n] "\""
                rest = substr(rest, 2)
            }
            at = index(rest, ",")
        } else {
            at = index(rest, ",")
            F[n] = at > 0 ? substr(rest, 1, at - 1) : rest
        }
        if (at == 0)
            return n
        rest = substr(rest, at + 1)
    }
}
