#!/usr/bin/env python3
"""Does the program meet hostile input as promised, through convert and route?

Each case says which good records must survive, which rejections (error, field, line) there must be,
how the file must end (an error's word, or None), and so which exit status. No case may end in a
signal, need more than 200 MB, or put anything but valid output on standard output.
usage: hostile.py COMITY [--no-sandbox] [CASE...]
Under sanitizers (--no-sandbox) memory is not measured and the longest line is shorter.
"""
import concurrent.futures
import gzip
import itertools
import json
import lzma
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

MEMORY_KB = 200 * 1024
TIMEOUT_S = 100
SHADOW_HEAD = '"timestamp","ip","port","protocol","hostname","asn","geo","region","city"\n'
READERS = ("idf", "array", "shadowserver", "csv", "stix")


def address(i):
    return f"8.8.{i // 256}.{i % 256}"


class Reader:
    """How one format's file is put together."""
    name, options, suffix = "", [], ""
    head, between, tail = b"", b"\n", b"\n"
    first_line = 1  # of the first record

    def good(self, i):
        raise NotImplementedError

    def file(self, *records):
        return self.head + self.between.join(
            r if isinstance(r, bytes) else self.good(r) for r in records) + self.tail

    def line(self, i):
        return self.first_line + i


class Idf(Reader):
    name, suffix, fmt = "idf", "in.jsonl", "idf"

    def good(self, i):
        return json.dumps({"time.source": "2026-01-01T00:00:00Z", "source.ip": address(i),
                           "classification.type": "scanner"}).encode()


class Array(Idf):
    name, suffix = "array", "in.json"
    head, between, tail = b"[", b",\n", b"]\n"


class Shadowserver(Reader):
    name, suffix, fmt = "shadowserver", "2026-11-23-scan_rdp-test.csv", "shadowserver"
    options = ["--report-type", "scan_rdp"]
    head, first_line = SHADOW_HEAD.encode(), 2

    def good(self, i):
        return f'"2026-11-23 08:15:00","{address(i)}","3389","tcp","h.example.org","64496","ZZ","",""'.encode()


class Csv(Reader):
    name, suffix, fmt = "csv", "in.csv", "csv"
    head, first_line = b"time,ip,type,comment\n", 2

    def good(self, i):
        return f"2026-01-01T00:00:00Z,{address(i)},scanner,".encode()


class Stix(Reader):
    name, suffix, fmt = "stix", "in.stix", "stix"
    head = b'{"type":"bundle","id":"bundle--1","objects":['
    between, tail = b",\n", b"]}\n"

    def good(self, i):
        return self.indicator(f"[ipv4-addr:value = '{address(i)}']").encode()

    @staticmethod
    def indicator(pattern, more=""):
        return ('{"type":"indicator","id":"indicator--1","pattern_type":"stix","pattern":%s,'
                '"valid_from":"2026-01-01T00:00:00Z"%s}' % (json.dumps(pattern), more))


FORMS = {r.name: r for r in (Idf(), Array(), Shadowserver(), Csv(), Stix())}


class Case:
    def __init__(self, name, reader, data, good=(0, 1), rejects=(), ends=None, status=None,
                 options=(), suffix=None, pipe=False, commands=("convert", "route")):
        self.name, self.reader, self.data, self.good = name, FORMS[reader], data, good
        self.rejects, self.ends, self.options = rejects, ends, list(options)
        self.status = status if status is not None else int(bool(self.rejects or ends))
        self.suffix, self.pipe, self.commands = suffix, pipe, commands


def middle(name, reader, bad, error, field=None):
    """One bad record between two good ones."""
    form = FORMS[reader]
    return Case(f"{name}-{reader}", reader, form.file(0, bad, 1), rejects=[(error, field, form.line(1))])


def json_records(name, text, error, field=None, readers=("idf", "array")):
    return [middle(name, r, text if isinstance(text, bytes) else text.encode(), error, field) for r in readers]


UTF8 = {"overlong": b"\xc0\xaf", "overlong3": b"\xe0\x80\xaf", "surrogate": b"\xed\xa0\x80",
        "beyond": b"\xf4\x90\x80\x80", "lone": b"\x80", "cut": b"\xe2\x82", "fe": b"\xfe", "ff": b"\xff",
        "five": b"\xf8\x88\x80\x80\x80"}


def text_cases():
    for shape, raw in UTF8.items():
        yield from json_records(f"utf8-{shape}", b'{"source.ip":"1.2.3.4","comment":"' + raw + b'"}', "bad-utf8")
        yield middle(f"utf8-{shape}", "stix", b'{"type":"malware","id":"malware--1","name":"' + raw + b'"}',
                     "bad-utf8")
        yield middle(f"utf8-{shape}", "csv", b"2026-01-01T00:00:00Z,1.2.3.4,scanner," + raw, "bad-utf8")
        yield middle(f"utf8-{shape}", "shadowserver",
                     b'"2026-11-23 08:15:00","1.2.3.4","1","tcp","' + raw + b'","1","ZZ","",""', "bad-utf8")
    yield from json_records("nul", b'{"source.ip":"1.2.3.4","comment":"a\0b"}', "nul-byte")
    yield middle("nul", "stix", b'{"type":"malware","id":"malware--1","name":"a\0b"}', "nul-byte")
    yield middle("nul", "csv", b"2026-01-01T00:00:00Z,1.2.3.4,scanner,a\0b", "nul-byte")
    yield middle("nul", "shadowserver", b'"2026-11-23 08:15:00","1.2.3.4","1","tcp","a\0b","1","ZZ","",""',
                 "nul-byte")


def value_cases():
    for bad in ("999.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/24", "::g", "1.2.3.4 ", "0x7f.1"):
        yield from json_records(f"address-{bad.replace('/', '-')}", '{"source.ip":"%s"}' % bad, "bad-address",
                                "source.ip")
    yield middle("address", "csv", b"2026-01-01T00:00:00Z,999.1.1.1,scanner,", "bad-address", "source.ip")
    # An indicator whose address is none is told by field, too.
    yield middle("address", "stix", Stix.indicator("[ipv4-addr:value = '999.1.1.1']").encode(), "bad-address",
                 "source.ip")
    for bad in ("2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:61:00Z",
                "0000-00-00T00:00:00Z", "2026-01-01T00:00:00+99:00", "yesterday", "99999-01-01T00:00:00Z"):
        yield from json_records(f"date-{bad}", '{"source.ip":"1.2.3.4","time.source":"%s"}' % bad, "bad-time",
                                "time.source")
    yield middle("date", "csv", b"2026-02-30T00:00:00Z,1.2.3.4,scanner,", "bad-time", "time")
    yield middle("date", "stix", Stix.indicator("[ipv4-addr:value = '1.2.3.4']").replace(
        "2026-01-01T", "2026-02-30T").encode(), "bad-time", "time.source")
    for bad, error in (("9223372036854775808", "bad-number"), ("18446744073709551615", "bad-number"),
                       ("18446744073709551616", "bad-number"), ("1e999", "bad-number"), ("-1", "bad-number"),
                       ("-9223372036854775809", "bad-number"), ("1.5", "bad-type"), ("01", "bad-number"),
                       ("65536", "bad-number"), ('"80 "', "bad-type"), ("true", "bad-type"), ("NaN", "bad-json")):
        field = "source.port" if error == "bad-type" or bad in (
            "9223372036854775808", "18446744073709551615", "-1", "65536") else None
        yield from json_records("number-" + bad, '{"source.ip":"1.2.3.4","source.port":%s}' % bad, error, field)
    yield from json_records("number-extra", '{"source.ip":"1.2.3.4","extra.n":18446744073709551616}', "bad-number")


def duplicate_cases():
    yield from json_records("duplicate", '{"source.ip":"1.2.3.4","source.ip":"1.2.3.5"}', "duplicate-key",
                            "source.ip")
    yield from json_records("duplicate-nested", '{"source":{"ip":"1.2.3.4","ip":"1.2.3.5"}}', "duplicate-key",
                            "source.ip")
    yield from json_records("duplicate-joined", '{"source.ip":"1.2.3.4","source":{"ip":"1.2.3.4"}}',
                            "duplicate-key", "source.ip")
    yield from json_records("duplicate-extra", '{"source.ip":"1.2.3.4","extra.a":1,"extra":{"a":2}}',
                            "duplicate-key", "extra.a")
    yield from json_records("duplicate-escaped", '{"source.ip":"1.2.3.4","source.\\u0069p":"1.2.3.4"}',
                            "duplicate-key", "source.ip")
    yield from json_records("duplicate-in-list", '{"source.ip":"1.2.3.4","extra.a":[{"k":1,"k":2}]}',
                            "duplicate-key", "k")
    yield middle("duplicate", "stix", Stix.indicator("[ipv4-addr:value = '1.2.3.4']", ',"type":"malware"').encode(),
                 "duplicate-key", "type")
    yield middle("duplicate-nested", "stix",
                 b'{"type":"malware","id":"malware--1","x":{"a":{"b":1,"b":2}}}', "duplicate-key", "b")
    yield Case("duplicate-column-csv", "csv", b"time,ip,type,ip\n" + Csv().good(0) + b"\n", good=(),
               ends="duplicate-key", options=["--mapping", "MAPPING"])
    yield Case("duplicate-column-shadowserver", "shadowserver",
               SHADOW_HEAD.replace('"city"', '"ip"').encode() + Shadowserver().good(0) + b"\n", good=(),
               ends="duplicate-key")
    # Two columns whose names differ until they become field names.
    rows = [Shadowserver().good(i).replace(b'"ZZ","",""', cells)
            for i, cells in enumerate((b'"ZZ","","a"', b'"ZZ","a","b"', b'"ZZ","","b"'))]
    head = SHADOW_HEAD.replace('"region"', '"new-one"').replace('"city"', '"New_One"')
    yield Case("duplicate-extra-shadowserver", "shadowserver", b"\n".join([head.encode().strip(), *rows, b""]),
               good=(0, 2), rejects=[("duplicate-key", "extra.new_one", 3)])


def shape_cases():
    deep = b'{"source.ip":"1.2.3.4","extra.d":' + b"[" * 10000 + b"]" * 10000 + b"}"
    nested = b'{"a":' * 10000 + b"1" + b"}" * 10000
    yield from json_records("deep-list", deep, "limit")
    yield from json_records("deep-object", nested, "limit")
    yield middle("deep", "stix", b'{"type":"malware","id":"malware--1","x":' + b"[" * 10000 + b"]" * 10000 + b"}",
                 "limit")
    yield middle("deep-pattern", "stix", Stix.indicator(
        "[" + "(" * 10000 + "ipv4-addr:value = '1.2.3.4'" + ")" * 10000 + "]").encode(), "limit", "pattern")
    yield from json_records("no-object", "17", "bad-type")
    yield from json_records("nested-list", "[1,2]", "bad-type")
    yield from json_records("empty-object", "{}", "missing-field")
    yield from json_records("garbage", '{"source.ip" "1.2.3.4"}', "bad-json")
    yield from json_records("single-quotes", "{'source.ip':'1.2.3.4'}", "bad-json")
    yield from json_records("comment", '{"source.ip":"1.2.3.4" /* no */}', "bad-json")
    yield middle("behind", "idf", b'{"source.ip":"1.2.3.4"} x', "bad-json")
    yield middle("two-in-a-line", "idf", b'{"source.ip":"1.2.3.4"}{"source.ip":"1.2.3.5"}', "bad-json")
    yield middle("cut-record", "idf", b'{"source.ip":"1.2.3.4","comment":"abc', "truncated")
    for n, name in ((3, "few"), (5, "many")):
        yield middle(f"columns-{name}", "csv", b",".join([b"x"] * n), "column-count")
    yield middle("columns-few", "shadowserver", b'"2026-11-23 08:15:00","1.2.3.4"', "column-count")
    yield middle("columns-many", "shadowserver", Shadowserver().good(7) + b',"x"', "column-count")
    wide = b",".join([b"1"] * 1000000)
    yield middle("columns-million", "csv", wide, "limit")
    yield middle("columns-million", "shadowserver", wide, "limit")
    yield Case("header-million-csv", "csv", b"time," + wide + b"\n" + Csv().good(0) + b"\n", good=(), ends="limit",
               options=["--mapping", "MAPPING"])
    yield Case("header-million-shadowserver", "shadowserver", b"timestamp," + wide + b"\n", good=(), ends="limit")
    yield middle("quote-tail", "csv", b'2026-01-01T00:00:00Z,"1.2.3.4"x,scanner,', "bad-quote")
    yield middle("quote-open", "csv", b'2026-01-01T00:00:00Z,1.2.3.4,scanner,"open', "bad-quote")
    yield middle("quote-open", "shadowserver", b'"2026-11-23 08:15:00","1.2.3.4,"1","tcp","x","1","ZZ","","', "bad-quote")


def cut(form, count=2, drop=9):
    return form.file(*range(count + 1))[:-len(form.tail) - drop]


def whole_cases():
    """What happens to a file as a whole."""
    for reader in READERS:
        form = FORMS[reader]
        three = form.file(0, 1, 2)
        yield Case(f"good-{reader}", reader, three, good=(0, 1, 2))
        yield Case(f"bom-{reader}", reader, b"\xef\xbb\xbf" + three, good=(0, 1, 2))
        yield Case(f"crlf-{reader}", reader, three.replace(b"\n", b"\r\n"), good=(0, 1, 2))
        yield Case(f"no-last-newline-{reader}", reader, three.rstrip(b"\n"), good=(0, 1, 2))
        yield Case(f"blank-lines-{reader}", reader, three.replace(b"\n", b"\n\n\n"), good=(0, 1, 2))
        yield Case(f"empty-{reader}", reader, b"", good=())
        yield Case(f"newlines-{reader}", reader, b"\n" * 5000, good=())
        yield Case(f"utf16-{reader}", reader, three.decode().encode("utf-16"), good=(), ends="bad-encoding")
        yield Case(f"utf16be-{reader}", reader, b"\xfe\xff" + three.decode().encode("utf-16-be"), good=(),
                   ends="bad-encoding")
        yield Case(f"zip-{reader}", reader, b"PK\x03\x04" + three, good=(), ends="bad-encoding")
    for reader, error in (("idf", "truncated"), ("array", "truncated"), ("stix", "truncated"),
                          ("csv", "column-count"), ("shadowserver", "bad-quote")):
        form = FORMS[reader]
        drop = 1 if reader == "shadowserver" else 9 if reader != "csv" else 12
        yield Case(f"cut-{reader}", reader, cut(form, drop=drop), good=(0, 1),
                   rejects=[(error, None, form.line(2))])
    yield Case("cut-list-array", "array", FORMS["array"].file(0, 1)[:-2], good=(0, 1),
               rejects=[("truncated", None, None)])
    yield Case("cut-bundle-stix", "stix", FORMS["stix"].file(0, 1)[:-2], good=(0, 1),
               rejects=[("truncated", None, None)])
    yield Case("cr-only-idf", "idf", b"\r" * 5000, good=())
    yield Case("cr-only-csv", "csv", FORMS["csv"].file(0, 1).replace(b"\n", b"\r"), good=(), ends="no-mapping",
               options=["--auto"])
    yield Case("mapping-missing", "csv", b"a,b,c\n1,2,3\n", good=(), ends="no-mapping")
    yield Case("mapping-missing-auto", "csv", b"a,b,c\n1,2,3\n", good=(), ends="no-mapping", options=["--auto"])
    yield Case("mapping-unknown-field", "csv", b"a,b\n1,2\n", good=(), ends="source.nothing", status=3,
               options=["--mapping", "BADMAPPING"])
    yield Case("report-type-unknown", "shadowserver", SHADOW_HEAD.encode(), good=(), ends="no-mapping",
               options=["--report-type", "scan_nothing"])
    yield Case("binary", "idf", bytes(range(256)) * 64, good=(), ends="bad-encoding", options=["--auto"])
    yield Case("blank-head", "idf", b"\n" * 70000 + FORMS["idf"].file(0), good=(), ends="unknown-format",
               options=["--auto"])
    yield Case("blank-head-told", "idf", b"\n" * 70000 + FORMS["idf"].file(0), good=(0,))
    yield Case("words", "idf", b"hello world\n", good=(), ends="unknown-format", options=["--auto"])


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def bomb(packer):
    """256 MiB of line ends. In pieces: a child's peak of memory begins with its parent's."""
    block = b"\n" * (1 << 20)
    return b"".join([packer.compress(block) for _ in range(256)] + [packer.flush()])


def zstd_bomb():
    make = "import os\nfor _ in range(256): os.write(1, b'\\n' * (1 << 20))"
    blank = subprocess.Popen([sys.executable, "-c", make], stdout=subprocess.PIPE)
    packed = subprocess.run(["zstd", "-q", "-c"], stdin=blank.stdout, stdout=subprocess.PIPE, check=True).stdout
    blank.stdout.close()
    return packed if blank.wait() == 0 else b""


PACKERS = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstd}


def packed_cases():
    bombs = {"gzip": bomb(zlib.compressobj(9, wbits=31)), "xz": bomb(lzma.LZMACompressor(preset=1)),
             "zstd": zstd_bomb()}
    for reader in READERS:
        form = FORMS[reader]
        head, two = form.file(0, 1), form.file(0, 1).rstrip()
        many = form.file(*range(3000))
        for kind, pack in PACKERS.items():
            yield Case(f"{kind}-{reader}", reader, pack(head))
            yield Case(f"{kind}-bomb-{reader}", reader, pack(head) + bombs[kind], ends="bomb")
            whole = pack(many)
            yield Case(f"{kind}-cut-{reader}", reader, whole[:-6], good=None, rejects=None, ends="truncated")
            yield Case(f"{kind}-damaged-{reader}", reader, whole[:len(whole) // 2] + b"\xff\xff\xff\xff" +
                       whole[len(whole) // 2 + 4:], good=None, rejects=None, ends="decompress")
            yield Case(f"{kind}-garbage-{reader}", reader, pack(head) + b"garbage behind the stream", ends="decompress")
            yield Case(f"{kind}-head-only-{reader}", reader, pack(head)[:6], good=(), ends="truncated")
            parts = [two[:20], two[20:] + b"\n"]
            yield Case(f"{kind}-members-{reader}", reader, b"".join(map(pack, parts)))
    data = FORMS["idf"].file(*range(30000))
    for kind, pack in PACKERS.items():
        raw = pack(data)
        yield Case(f"{kind}-cut-late", "idf", raw[:len(raw) * 9 // 10], good=("at least", 1000), ends="truncated")


def cost_cases():
    """Cheap to send, and must stay cheap to read."""
    collide = ["".join(p) for p in pairs(14)]
    text = "{" + ",".join(f'"{k}":1' for k in collide) + "}"
    million = "{" + ",".join(f'"k{i:x}":1' for i in range(300000)) + "}"
    for name, body in (("collisions", text), ("million-keys", million)):
        yield from json_records(name, body, "limit")
        wrapped = '{"source.ip":"8.8.0.2","extra.x":[%s]}' % body
        for reader in ("idf", "array"):
            yield Case(f"{name}-nested-{reader}", reader, FORMS[reader].file(0, wrapped.encode(), 1), good=(0, 2, 1))
        yield Case(f"{name}-stix", "stix", FORMS["stix"].file(
            0, ('{"type":"malware","id":"malware--1","x":%s}' % body).encode(), 1), good=(0, None, 1))
    yield Case("many-choices", "stix", FORMS["stix"].file(0, Stix.indicator(
        " OR ".join(f"[ipv4-addr:value = '{address(i)}']" for i in range(10000))).encode(), 1),
        good=(0, *range(10000), 1))
    record = "{" + ",".join(f'"extra.{"x" * 40}{i:04d}":1' for i in range(1000)) + "}"
    yield Case("many-fields", "idf", b"\n".join([record.encode()] * 400) + b"\n", good=(None,) * 400)


def pairs(length):
    """Strings that djb2 cannot tell apart: "Ez" and "FY" have the same value."""
    for i in range(1 << length):
        yield ("Ez" if i >> b & 1 else "FY" for b in range(length))


def long_line_cases(size):
    def feed(before, opening, closing, after):
        def write(fd):
            block = b"a" * (1 << 20)
            out = open(fd, "wb", buffering=0)
            out.write(before + opening)
            for _ in range(size >> 20):
                out.write(block)
            out.write(closing + after)
            out.close()
        return write
    for reader, opening, closing in (("idf", b'{"comment":"', b'"}'), ("array", b'{"comment":"', b'"}'),
                                     ("stix", b'{"type":"malware","name":"', b'"}'), ("csv", b"2026,", b",x,"),
                                     ("shadowserver", b'"', b'"')):
        form = FORMS[reader]
        before = form.head + form.good(0) + form.between
        after = form.between + form.good(1) + form.tail
        yield Case(f"long-line-{reader}", reader, feed(before, opening, closing, after), pipe=True,
                   rejects=[("limit", None, form.line(1))])


class Run:
    def __init__(self, status, out, err, peak_kb, seconds):
        self.status, self.out, self.err, self.peak_kb, self.seconds = status, out, err, peak_kb, seconds


def run(command, source, folder):
    """Run COMMAND; SOURCE is a function that writes to its standard input, or None."""
    out_path, err_path = folder / "stdout", folder / "stderr"
    reader, writer = os.pipe() if source else (None, None)
    started = time.monotonic()
    with open(out_path, "wb") as out, open(err_path, "wb") as err:
        child = subprocess.Popen(command, stdin=reader if source else subprocess.DEVNULL, stdout=out, stderr=err,
                                 cwd=folder)
    if source:
        os.close(reader)
        threading.Thread(target=quiet(source), args=(writer,), daemon=True).start()
    timer = threading.Timer(TIMEOUT_S, lambda: os.kill(child.pid, signal.SIGKILL))
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    child.returncode = 0
    code = os.waitstatus_to_exitcode(status)
    return Run(code, out_path.read_bytes(), err_path.read_text("utf-8", "replace"), usage.ru_maxrss,
               time.monotonic() - started)


def quiet(source):
    def write(fd):
        try:
            source(fd)
        except BrokenPipeError:
            pass
    return write


class Checker:
    def __init__(self, comity, walls):
        self.comity, self.walls, self.faults, self.count = comity, walls, [], 0

    def fault(self, case, command, text):
        self.faults.append(f"{case.name}: {command}: {text}")

    def command(self, case, command, folder):
        options = case.options
        auto = "--auto" in options
        options = [str(folder.parent / o.lower()) if o.endswith("MAPPING") else o for o in options if o != "--auto"]
        if "--report-type" not in options and not auto:
            options = case.reader.options + options
        line = [self.comity, command, "--rejects", "rejects"] + self.walls + options
        line += ["--to", "idf"] if command == "convert" else ["--json", "--quiet", "--window", "0", "--out", "out"]
        if not auto:
            line += ["--from" if command == "convert" else "--format", case.reader.fmt]
        return line + ["-" if case.pipe else case.suffix or case.reader.suffix]

    def check(self, case):
        for command in case.commands:
            self.count += 1
            with tempfile.TemporaryDirectory() as top:
                folder = pathlib.Path(top) / "here"
                folder.mkdir()
                (pathlib.Path(top) / "mapping").write_text(
                    '{"columns":{"time":"time.source","ip":"source.ip","type":"classification.type"}}')
                (pathlib.Path(top) / "badmapping").write_text('{"columns":{"a":"source.nothing","b":null}}')
                if not case.pipe:
                    (folder / (case.suffix or case.reader.suffix)).write_bytes(case.data)
                got = run(self.command(case, command, folder), case.data if case.pipe else None, folder)
                self.judge(case, command, got, folder)

    def judge(self, case, command, got, folder):
        def fault(text):
            self.fault(case, command, text)
        if got.status < 0:
            fault(f"ended by signal {-got.status} after {got.seconds:.1f} s: {got.err[-300:]}")
            return
        if got.status not in self.statuses(case, command, got, folder):
            fault(f"exit status {got.status}, not {case.status}: {got.err[-300:]}")
        if not self.walls and got.peak_kb > MEMORY_KB:
            fault(f"{got.peak_kb} kB of memory")
        if case.ends and not self.told(case, got.err):
            fault(f"\"{case.ends}\" is not told: {got.err[-300:]}")
        rejected = self.rejections(case, command, folder, fault)
        if command == "convert":
            self.judge_convert(case, got, rejected, fault)
        else:
            self.judge_route(case, got, rejected, folder, fault)

    @staticmethod
    def statuses(case, command, got, folder):
        """A file that failed: 3 if it gave nothing at all, else 1. What survives of some files only the run tells."""
        if not case.ends or case.status != 1:
            return (case.status,)
        rejects = folder / "rejects"
        if case.rejects or rejects.exists() and rejects.stat().st_size:
            return (1,)
        if case.good is not None:
            return (1 if case.good else 3,)
        return (1, 3) if command == "route" else (1 if got.out else 3,)

    @staticmethod
    def told(case, text):
        return f"{case.ends}: " in text or f'"{case.ends}": ' in text

    @staticmethod
    def rejections(case, command, folder, fault):
        path = folder / "rejects"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        if case.rejects is None:
            return len(rows)
        if len(rows) != len(case.rejects):
            fault(f"{len(rows)} rejections, not {len(case.rejects)}: {str(rows)[:300]}")
            return len(rows)
        for row, (error, field, line) in zip(rows, case.rejects):
            if row["error"] != error or (row["field"] or None) != field or line not in (None, row["line"]):
                fault(f"rejected as {row['error']} {row['field']} line {row['line']}, not {error} {field} {line}")
            if not row["reason"]:
                fault("rejected without a reason")
        return len(rows)

    @staticmethod
    def judge_convert(case, got, rejected, fault):
        try:
            rows = [json.loads(line) for line in got.out.decode("utf-8").splitlines()]
        except ValueError as e:
            fault(f"standard output is not valid: {e}")
            return
        have = [row.get("source.ip") for row in rows]
        if case.good is not None and case.good[:1] == ("at least",):
            if len(have) < case.good[1] or have != [address(i) for i in range(len(have))]:
                fault(f"{len(have)} records survived, not at least {case.good[1]} in order")
        elif case.good is not None:
            want = [None if i is None else address(i) for i in case.good]
            if have != want:
                fault(f"survived: {have[:5]}, not {want[:5]}")

    @staticmethod
    def judge_route(case, got, rejected, folder, fault):
        if got.status > 1:
            if got.out:
                fault("something stands on standard output although it failed")
            return
        try:
            summary = json.loads(got.out)
        except ValueError as e:
            fault(f"standard output is not valid: {e}")
            return
        if not summary["balanced"] or summary["received"] != (
                summary["stored"] + summary["rejected"] + summary["duplicate"]):
            fault(f"the balance does not add up: {summary}")
        if summary["rejected"] != rejected or summary["failed_files"] != int(bool(case.ends)):
            fault(f"{summary['rejected']} rejected and {summary['failed_files']} files failed, not {rejected} and "
                  f"{int(bool(case.ends))}")
        if case.good is not None and case.good[:1] != ("at least",) and summary["stored"] != len(case.good):
            fault(f"{summary['stored']} stored, not {len(case.good)}")
        for path in (folder / "out").glob("*.jsonl"):
            for line in path.read_text("utf-8").splitlines():
                json.loads(line)


def mixed_files(checker):
    """A folder with bad files and good ones, a file that is not there, one that may not be read."""
    case = Case("folder", "idf", b"", good=(7, 0, 1))
    for command in case.commands:
        checker.count += 1
        with tempfile.TemporaryDirectory() as top:
            os.chmod(top, 0o777)
            folder = pathlib.Path(top) / "here"
            folder.mkdir(mode=0o777)
            os.chmod(folder, 0o777)
            inputs = folder / "in"
            inputs.mkdir()
            (inputs / "a-bad.gz").write_bytes(gzip.compress(FORMS["idf"].file(7))[:-8])
            (inputs / "b-good.jsonl").write_bytes(FORMS["idf"].file(0))
            (inputs / "c-zip").write_bytes(b"PK\x03\x04aaaaaaaaaa")
            (inputs / "d-locked.jsonl").write_bytes(FORMS["idf"].file(5))
            (inputs / "d-locked.jsonl").chmod(0)
            (inputs / "e-good.jsonl").write_bytes(FORMS["idf"].file(1))
            line = [checker.comity, command, "--rejects", "rejects", "in", "nowhere.jsonl"] + checker.walls
            line += ["--to", "idf"] if command == "convert" else ["--json", "--quiet", "--out", "out"]
            if os.geteuid() == 0:
                # Root without its power over files: a locked one stays locked, a checkout under /root open.
                line = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] + line
                if not shutil.which("setpriv"):
                    return
            got = run(line, None, folder)
            told = [w for w in ("truncated", "bad-encoding", "not-found") if f": {w}: " in got.err]
            if got.status != 1 or len(told) != 3 or got.err.count(": not-found: ") != 2:
                checker.fault(case, command, f"status {got.status}, told {told}: {got.err[-600:]}")
            if command == "convert":
                checker.judge_convert(case, got, 0, lambda text: checker.fault(case, "convert", text))
            else:
                summary = json.loads(got.out or b"{}")
                if summary.get("stored") != 3 or summary.get("failed_files") != 4:
                    checker.fault(case, command, f"{summary}")


def main():
    comity, *rest = sys.argv[1:]
    walls = [a for a in rest if a == "--no-sandbox"]
    wanted = [a for a in rest if a != "--no-sandbox"]
    checker = Checker(os.path.abspath(comity), walls)
    started = time.monotonic()
    size = (32 << 20) if walls else (1 << 30)
    cases = itertools.chain(text_cases(), value_cases(), duplicate_cases(), shape_cases(), whole_cases(),
                            packed_cases(), cost_cases(), long_line_cases(size))
    taking = threading.Lock()

    def work():
        while True:
            with taking:  # not all at once: their bytes are large
                case = next(cases, None)
            if case is None:
                return
            if not wanted or any(w in case.name for w in wanted):
                checker.check(case)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(work) for _ in range(os.cpu_count() or 1)]:
            done.result()
    if not wanted or "folder" in wanted:
        mixed_files(checker)
    for fault in checker.faults:
        print("FAULT", fault)
    print(f"{checker.count} runs, {len(checker.faults)} faults, {time.monotonic() - started:.0f} s")
    return 1 if checker.faults or checker.count == 0 else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
