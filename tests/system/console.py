"""Are the console's files served as browsers need them, and do its catalogues say all in every language?

usage: console.py COMITY EMBED [--no-sandbox]     (COMITY_SHARE names the share folder, COMITY_TABLES src/tables)
"""
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from node import Node

COMITY, EMBED, OPTIONS = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
TABLES = pathlib.Path(os.environ["COMITY_TABLES"])
WEB = TABLES.parent / "web"
LANGUAGES = ["en", "zh", "fr", "es", "ru", "ar"]
FIRST_VIEW_BYTES = 100 * 1024
# Messages that are spelled as in English, rightly.
EQUAL = {
    "fr": """pages node.version classification source destination verdict class.open team.site team.kind.finance parties signatures clause
             clauses clause.patterns measure.population card.signature""".split(),
    "es": "no team.kind.regional agreement.kind.bilateral agreement.kind.multilateral level.error opinion.neutral".split(),
}
# Words that only English has, and what is called the same in all alphabets.
ENGLISH = set("""the of and with was were is are by from this that it its which what who whom there been has have not for when will only
                 report reports team held withheld receipt ledger recall partner agreement""".split())
NAMES = set("""UTC TLP RED CVE IPv IPv4 IPv6 JSON SIGHUP SHA RFC URL AS Unicode CLDR RouteViews DB IP NOTICE Ed25519 Ed API HTTP ID CSV ISO kB MAC TAXII STIX
               MISP SMTP OpenPGP PGP GPG VCARD vCard TLS PEM CSIRT CERT""".split())

# Placeholders, commands, settings, files: no language's words.
CALLED = re.compile(r"\{\w+\}|`[^`]*`|\bcomity( [a-z]+)+|\b[a-z]+\.[a-z-]+(\(5\))?|\"\w+\"|«\s?\w+\s?»|\.tlog-proof")


def words(table, macro):
    text = (TABLES / table).read_text(encoding="utf-8")
    return re.findall(rf'^{macro}\([A-Z_0-9]+,(?: \d+,)? "([^"]+)"', text, re.M)


def forms(message):
    """Of a message that differs by number, by plural category; of another only "other"."""
    return message if isinstance(message, dict) else {"other": message}


def placeholders(text):
    return sorted(re.findall(r"\{\w+\}", text))


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.node = Node(COMITY, pathlib.Path(temporary.name) / "home", *OPTIONS, "--tls", "off")
        cls.addClassCleanup(cls.node.close)
        cls.status, _, page = cls.get("/")
        if cls.status == 404:
            raise unittest.SkipTest("built without the console: npm could not be reached")
        cls.page = page.decode()
        cls.files = re.findall(r'(?:href|src)="(/assets/[^"]+)"', cls.page)

    @classmethod
    def get(cls, path, method="GET", door="operators", **headers):
        connection = cls.node.connect(door, tls=False)
        connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    def test_every_page_is_the_same_page(self):
        for path in ["/", "/reports", "/reports/x", "/held?state=waiting", "/teams/a.b", "/agreements/urn%3Auuid%3A1", "/account"]:
            status, headers, body = self.get(path)
            self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"), path)
            self.assertEqual(body.decode(), self.page)
            self.assertEqual(headers["Cache-Control"], "no-cache")

    def test_the_policy_lets_nothing_else_in(self):
        _, headers, _ = self.get("/")
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        self.assertEqual(policy["script-src"], "'self'")
        self.assertEqual(policy["require-trusted-types-for"], "'script'")
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        self.assertIsNone(re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=", self.page), "something inline")
        for text in self.files:
            self.assertTrue(text.startswith("/assets/"))

    def test_files_are_kept_for_ever_and_come_packed(self):
        for path in self.files:
            status, headers, plain = self.get(path)
            self.assertEqual(status, 200, path)
            self.assertIn("immutable", headers["Cache-Control"])
            self.assertEqual(headers["Vary"], "Accept-Encoding")
            self.assertIsNone(headers["Content-Encoding"])
            _, packed_headers, packed = self.get(path, Accept_Encoding="br, gzip;q=0.8")
            if packed_headers["Content-Encoding"] == "gzip":
                self.assertEqual(gzip.decompress(packed), plain)
                self.assertNotEqual(packed_headers["ETag"], headers["ETag"])
            self.assertEqual(self.get(path, Accept_Encoding="gzip;q=0")[1]["Content-Encoding"], None)
            status, _, body = self.get(path, If_None_Match=headers["ETag"])
            self.assertEqual((status, body), (304, b""))
            status, _, body = self.get(path, method="HEAD")
            self.assertEqual((status, body), (200, b""))

    def test_what_is_not_there_is_not(self):
        base = self.files[0].rsplit("/", 1)[0]
        for path in ["/nothing", "/assets/", "/assets/index.html", base + "/../index.html", base + "/package.json",
                     "/assets/0000000000000000/app.js"]:
            self.assertEqual(self.get(path)[0], 404, path)
        self.assertEqual(self.get("/", method="POST")[0], 405)

    def test_who_reads_is_told_that_there_is_no_such_page(self):
        browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
        differ = {"Date", "X-Request-Id", "ETag", "Cache-Control", "Content-Length"}
        usual = {key: value for key, value in self.get("/")[1].items() if key not in differ}
        self.assertIn("Content-Security-Policy", usual)
        for path in ["/nonsense", "/reports/x/y/z", "/nonsense?q=1", "//reports", "/teams/x/nonsense", "/operations/nonsense", "/ledger/nonsense", "/reportsx", "/x" * 500]:
            status, headers, body = self.get(path, **browser)
            self.assertEqual((status, body.decode()), (404, self.page), path)
            self.assertEqual({key: value for key, value in headers.items() if key not in differ}, usual, path)
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(gzip.decompress(self.get(path, **browser, Accept_Encoding="gzip")[2]).decode(), self.page)
            status, headers, body = self.get(path, method="HEAD", **browser)
            self.assertEqual((status, headers["Content-Type"], body), (404, "text/html; charset=utf-8", b""), path)
            for accept in [{}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "text/html;q=0, */*"}]:
                status, headers, body = self.get(path, **accept)
                self.assertEqual((status, headers["Content-Type"], json.loads(body)["code"]), (404, "application/problem+json", "not-found"), path)
        status, headers, body = self.get("/teams/a%2", **browser)
        self.assertEqual((status, body.decode()), (400, self.page))
        self.assertEqual(self.get("/nonsense", method="POST", **browser)[1]["Content-Type"], "application/problem+json")
        self.assertEqual(self.get("/", method="POST", **browser)[0], 405)

    def test_what_programs_ask_stays_as_it_is(self):
        base = self.files[0].rsplit("/", 1)[0]
        for path in ["/api", "/api/nonsense", "/api/v1/nonsense", "/taxii2", "/taxii2/x", "/comity", "/comity/x", "/metrics/x", "/readyz/x", "/healthz/x", "/log", "/log/x",
                     "/log/tile/x", "/misp", "/misp/x/y", "/organisations", "/organisations/x", "/sharingGroups/x", "/assets", "/assets/x.js", base + "/x.js"]:
            answers = [self.get(path, Accept=accept) for accept in ("text/html", "*/*")]
            self.assertNotIn("text/html", answers[0][1]["Content-Type"], path)
            if answers[1][0] == 404:
                self.assertEqual([(status, headers["Content-Type"]) for status, headers, _ in answers], [(404, answers[1][1]["Content-Type"])] * 2, path)

    def test_partners_see_none_of_it(self):
        for path in ["/", "/reports", self.files[0]]:
            self.assertEqual(self.get(path, door="partners")[0], 404)
        for path in ["/", "/nonsense"]:
            self.assertEqual(self.get(path, door="partners", Accept="text/html")[1]["Content-Type"], "application/problem+json")

    def test_the_first_view_is_small(self):
        base = re.match(r"/assets/[0-9a-f]+/", self.files[0]).group(0)
        first = set(self.files) | {base + name for name in ["messages/ru.json", "names/ru.json", "pages/today.js", "map.js",
                                                            "economies.json"]}
        total = sum(len(self.get(path, Accept_Encoding="gzip")[2]) for path in first)
        self.assertLess(total, FIRST_VIEW_BYTES)


class Catalogues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = {one: json.loads((WEB / "messages" / f"{one}.json").read_text(encoding="utf-8")) for one in LANGUAGES}
        cls.sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(WEB.rglob("*.js")))

    def test_none_lacks_a_message(self):
        for language in LANGUAGES:
            self.assertEqual(list(self.messages[language]), list(self.messages["en"]), language)
            for key, message in self.messages[language].items():
                wanted = placeholders(forms(self.messages["en"][key])["other"])
                self.assertEqual(placeholders(forms(message)["other"]), wanted, f"{language}: {key}")
                for form in forms(message).values():
                    self.assertTrue(form.strip(), f"{language}: {key}")
                    self.assertLessEqual(set(placeholders(form)), set(wanted), f"{language}: {key}")

    def test_none_is_left_in_english(self):
        """The same words are no mistake where they stand in EQUAL; other letters than the reader's only in what is called so everywhere."""
        for language in LANGUAGES[1:]:
            for key, message in self.messages[language].items():
                for form in forms(message).values():
                    words_ = CALLED.sub("", form)
                    if language in EQUAL:
                        self.assertTrue(form not in forms(self.messages["en"][key]).values() or key in EQUAL[language], f"{language}: {key}: {form}")
                        left = set(re.findall(r"[a-z’]+", words_.lower())) & ENGLISH
                    else:
                        left = set(re.findall(r"[A-Za-z]{2,}", words_)) - NAMES
                    self.assertEqual(left, set(), f"{language}: {key}: {form}")
        for language, keys in EQUAL.items():
            self.assertEqual([key for key in keys if self.messages[language].get(key) != self.messages["en"].get(key)], [], language)

    def test_forms_by_number_get_numbers(self):
        """What a page has formatted already has no plural category."""
        plural = [key for key in self.messages["en"] if any(isinstance(self.messages[one][key], dict) for one in LANGUAGES)]
        self.assertGreater(len(plural), 2)
        for key in plural:
            self.assertIn(f"t('{key}', {{n: ", self.sources)
            self.assertNotIn(f"t('{key}', {{n: number(", self.sources)

    def test_what_pages_say_is_there(self):
        used = set(re.findall(r"[^\w.]t\('([\w.-]+)'", self.sources))
        used |= set(re.findall(r"\? '([a-z]+\.[\w.-]+)' : '", self.sources)) | set(re.findall(r"\? '[\w.-]+' : '([a-z]+\.[\w.-]+)'", self.sources))
        self.assertGreater(len(used), 150)
        self.assertEqual(sorted(used - set(self.messages["en"])), [])

    def test_words_of_the_tables_are_there(self):
        wanted = {"reason": words("policy.def", "REASON"), "rule": words("policy.def", "ATTRIBUTION_RULE"),
                  "class": words("policy.def", "FIELD_CLASS"), "treatment": words("policy.def", "TREATMENT"),
                  "stat": words("stats.def", "STAT"), "kind": words("principals.def", "PRINCIPAL")}
        for kind, found in wanted.items():
            self.assertGreater(len(found), 3, kind)
            for word in found:
                self.assertIn(f"{kind}.{word}", self.messages["en"])

    def test_nothing_is_said_that_no_page_says(self):
        prefixes = "reason rule class treatment stat kind standing effect result step onward require team.kind agreement.kind page " \
                   "period theme filter queue held measure constituency node clause setting level simulate way polled reach receipt receipts event decision ledger.kind verify.step act signature opinion card.act card.as card.node card.key card.decided team.channel team.key mail.state mail.when".split()
        for key in self.messages["en"]:
            self.assertTrue(f"'{key}'" in self.sources or any(key.startswith(one + ".") for one in prefixes), key)


class Without(unittest.TestCase):
    def test_no_npm_no_console(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "stamp").write_text("absent: no npm\n", encoding="utf-8")
            subprocess.run([sys.executable, EMBED, str(WEB), str(folder), str(folder / "stamp"), "-", "-", "-", str(folder / "out.c"),
                            str(folder / "out.d")], check=True, timeout=60)
            text = (folder / "out.c").read_text(encoding="ascii")
            self.assertIn("console_files[] = {", text)
            self.assertNotIn("assets", text)
            self.assertEqual(text.count("{NULL, 0}"), 2)


unittest.main(argv=sys.argv[:1], verbosity=1)
