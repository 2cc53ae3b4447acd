#!/usr/bin/env python3
"""The life of an agreement between two homes: drafted, proposed, signed by both, judged by, suspended, resumed, ended."""
import datetime
import json
import os
import subprocess
import sys
import unittest

from case import COMITY, OPTIONS, Case, agreement, clause, report, team


def moment(seconds=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def microsecond_before(text):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime.timedelta(microseconds=1)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Life(Case):
    def setUp(self):
        super().setUp()
        self.write("teams.json", [
            team("north.test", "FI", constituency={"prefixes": ["198.51.100.0/24"]}),
            team("south.test", "SE", constituency={"prefixes": ["192.0.2.0/24"]})])
        self.input = self.lines(report(tlp="amber"))

    def at(self, home, *words, status=0, stdin=None):
        done = subprocess.run([COMITY, *words], env=dict(os.environ, COMITY_HOME=str(self.folder / home)), input=stdin,
                              capture_output=True, text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done

    def agree_at(self, home, command, *words, **more):
        return self.at(home, "agreement", command, "--teams", "teams.json", *words, **more)

    def routed(self, home, when=None, *more):
        """released, held, withheld, and the reasons told."""
        done = self.at(home, "route", *OPTIONS, "--json", "--quiet", "--as", "north.test", "--teams", "teams.json",
                       "--feeds", "feeds.json", *(["--at", when] if when else []), *more, self.input)
        summary = json.loads(done.stdout)
        return (summary["released"], summary["held"], summary["withheld"]), done

    def draft(self, name="draft.json", **more):
        self.at("north", "agreement", "new", "--parties", "north.test,south.test", "--title", "Pact", "--out", name)
        document = json.loads((self.folder / name).read_text())
        document["clauses"][0].update(tlp_max="amber", treatment={"text": "remove"})
        document.update(valid_from="2026-01-01", **more)
        self.write(name, document)
        return document["id"]

    def know(self):
        """Each knows the other's key."""
        keys = {h: self.agree_at(h, "key", "--as", f"{h}.test").stdout.split()[1] for h in ("north", "south")}
        self.agree_at("north", "key", "--trust", "south.test", keys["south"])
        self.agree_at("south", "key", "--trust", "north.test", keys["north"])

    def exported(self, home, ident, name):
        self.write(name, self.agree_at(home, "export", ident).stdout)
        return name

    def in_force(self, **more):
        self.know()
        ident = self.draft(**more)
        self.agree_at("north", "propose", "draft.json")
        self.agree_at("south", "sign", self.exported("north", ident, "to-south.json"))
        self.agree_at("north", "sign", self.exported("south", ident, "to-north.json"))
        return ident

    def standing(self, home, ident):
        return json.loads(self.agree_at(home, "show", "--json", ident).stdout)["standing"]

    def test_drafts_are_sound(self):
        for words in (["--parties", "a.test,b.test"], ["--kind", "multilateral", "--parties", "a.test,b.test,c.test"],
                      ["--kind", "baseline"], ["--kind", "law", "--economy", "FI"]):
            draft = self.write("d.json", self.at("north", "agreement", "new", *words).stdout)
            done = self.at("north", "route", *OPTIONS, "--json", "--quiet", "--teams", "teams.json", "--feeds",
                           "feeds.json", "--agreements", draft, self.input)
            self.assertNotIn("withheld:", done.stderr)
        for words in (["--parties", "one.test,one.test"], ["--parties", "one test,b.test"], ["--parties", "a.test,"],
                      ["--kind", "law", "--economy", "QZ9"], ["--parties", "a.test,b.test", "--title", ""],
                      ["--kind", "treaty"], ["--parties", "one.test"], ["--kind", "law"], ["--nonsense"], ["x"]):
            self.at("north", "agreement", "new", *words, status=2)

    def test_signed_by_both_it_is_in_force(self):
        self.know()
        ident = self.draft()
        told = self.agree_at("north", "propose", "draft.json").stdout
        self.assertIn("it waits for south.test", told)
        counts, done = self.routed("north")
        self.assertEqual(counts, (0, 0, 1))
        self.assertIn("1 agreement of the register waits for signatures", done.stderr)
        self.agree_at("south", "sign", self.exported("north", ident, "to-south.json"))
        self.assertEqual(self.standing("south", ident), "in force")
        self.assertEqual(self.standing("north", ident), "proposed")
        self.agree_at("north", "sign", self.exported("south", ident, "to-north.json"))
        self.assertEqual(self.standing("north", ident), "in force")
        self.assertEqual(self.routed("north")[0], (1, 0, 0))
        short = ident[len("urn:uuid:"):][:8]
        self.assertIn("in force", self.agree_at("north", "show", short).stdout)
        self.assertIn("Pact", self.agree_at("north", "list").stdout)

    def test_keys_that_are_not_known_count_as_none(self):
        self.agree_at("south", "key", "--as", "south.test")
        ident = self.draft()
        self.agree_at("north", "propose", "--as", "north.test", "draft.json")
        done = self.agree_at("south", "sign", self.exported("north", ident, "to-south.json"))
        self.assertIn("counts as none", done.stderr)
        self.assertIn("signed by north.test with a key that is not known", done.stdout)
        self.assertEqual(self.standing("south", ident), "proposed")

    def test_a_changed_text_is_refused(self):
        self.know()
        ident = self.draft()
        self.agree_at("north", "propose", "draft.json")
        document = json.loads(self.agree_at("north", "export", ident).stdout)
        document["clauses"][0]["tlp_max"] = "red"
        self.write("changed.json", document)
        done = self.agree_at("south", "sign", "changed.json", status=3)
        self.assertIn("was not made over this text", done.stderr)
        self.assertEqual(self.agree_at("south", "list").stdout, "")
        del document["signatures"]
        self.write("changed.json", document)
        self.assertIn("another text under the id", self.agree_at("north", "propose", "changed.json", status=3).stderr)

    def test_a_document_changed_in_the_register_is_broken(self):
        ident = self.in_force()
        path = self.folder / "north" / "agreements" / (ident[len("urn:uuid:"):] + ".json")
        path.write_text(path.read_text().replace('"amber"', '"red"'))
        self.assertEqual(self.standing("north", ident), "broken")
        counts, done = self.routed("north")
        self.assertEqual(counts, (0, 0, 1))
        self.assertIn("withheld", done.stderr)

    def test_from_and_until_to_the_microsecond(self):
        first, last = "2026-03-01T00:00:00.000001Z", "2026-04-01T00:00:00.000001Z"
        self.know()
        ident = self.draft()
        document = json.loads((self.folder / "draft.json").read_text())
        document.update(valid_from=first, valid_until=moment(3600))
        self.write("draft.json", document)
        self.agree_at("north", "propose", "draft.json")
        self.agree_at("south", "sign", self.exported("north", ident, "to-south.json"))
        self.agree_at("north", "sign", self.exported("south", ident, "to-north.json"))
        self.assertEqual(self.routed("north", first)[0], (1, 0, 0))
        self.assertEqual(self.routed("north", microsecond_before(first))[0], (0, 0, 1))
        self.assertEqual(self.routed("north", last)[0], (1, 0, 0))
        until = document["valid_until"]
        self.assertEqual(self.routed("north", microsecond_before(until))[0], (1, 0, 0))
        self.assertEqual(self.routed("north", until)[0], (0, 0, 1))

    def test_suspended_resumed_ended(self):
        ident = self.in_force()
        changes = [("suspend", moment(100), "leak"), ("resume", moment(200), "mended"), ("end", moment(300), "over")]
        for command, when, reason in changes:
            self.agree_at("north", command, "--at", when, "--reason", reason, ident)
        for (_, when, _), before, after in zip(changes, (1, 0, 1), (0, 1, 0)):
            self.assertEqual(self.routed("north", microsecond_before(when))[0][0], before, when)
            self.assertEqual(self.routed("north", when)[0][0], after, when)
        for command in ("suspend", "resume", "end"):
            self.assertIn("final", self.agree_at("north", command, ident, status=3).stderr)
        self.assertIn("ended", self.agree_at("north", "sign", "to-north.json", status=3).stderr)
        events = json.loads(self.agree_at("north", "show", "--json", ident).stdout)["events"]
        self.assertEqual([e["event"] for e in events],
                         ["proposed", "signed", "signed", "suspended", "resumed", "ended"])

    def test_a_slip_in_who_signs_is_not_kept(self):
        self.draft()
        done = self.agree_at("north", "propose", "--as", "nroth.test", "draft.json", status=2)
        self.assertIn("none of its parties", done.stderr)
        self.agree_at("north", "propose", "--as", "north.test", "draft.json")
        self.assertIn("no team of the directory", self.agree_at("south", "key", "--as", "suoth.test").stderr)

    def test_documents_come_through_pipes(self):
        self.draft()
        text = (self.folder / "draft.json").read_text()
        self.assertIn("0 errors", self.agree_at("north", "lint", *OPTIONS, "-", stdin=text).stdout)
        self.assertIn("identical", self.agree_at("north", "diff", *OPTIONS, "draft.json", "-", stdin=text).stdout)
        self.agree_at("north", "propose", "--as", "north.test", "/dev/stdin", stdin=text)
        self.agree_at("north", "lint", *OPTIONS, "-", stdin=" " * (17 << 20), status=1)

    def test_lint_and_diff_look_at_what_the_register_holds(self):
        ident = self.in_force()
        for name, number, economy in (("law.json", 9, "FI"), ("laws.json", 10, "SE")):
            self.write(name, agreement(number, "law", [clause("9", tlp_max="red", effect="withhold")], economy=economy))
        self.write("new.json", agreement(8, "bilateral", [clause("1", **{"from": "party", "to": "party"}, tlp_max="amber",
                                                                  onward="constituency")],
                                         parties=["north.test", "south.test"]))
        options = ["--feeds", "feeds.json", *OPTIONS, "new.json"]
        self.assertIn("shadowed", self.agree_at("stranger", "lint", "--with", "draft.json", *options).stdout)
        told = self.agree_at("north", "lint", *options).stdout
        self.assertIn("shadowed", told)
        self.assertNotIn("void-by-ceiling", told)
        self.agree_at("north", "propose", "law.json")
        self.agree_at("north", "propose", "laws.json")
        self.assertIn("void-by-ceiling", self.agree_at("north", "lint", *options).stdout)
        self.assertIn("identical", self.agree_at("north", "diff", *options, "draft.json").stdout)
        self.assertNotIn("identical", self.agree_at("stranger", "diff", *options, "draft.json").stdout)
        self.assertIn(ident, self.agree_at("north", "list").stdout)

    def test_no_reason_closes_the_register(self):
        ident = self.in_force()
        for reason in ("bad\x01byte", "\x1b[31mred", b"no \xff text", "\x7f" * 1001):
            self.agree_at("north", "suspend", "--reason", reason, ident, status=2)
            self.assertEqual(self.standing("north", ident), "in force")
        self.agree_at("north", "suspend", "--reason", "two\nlines, \"quoted\" \\ é\U0001f600", ident)
        shown = json.loads(self.agree_at("north", "show", "--json", ident).stdout)
        self.assertEqual(shown["events"][-1]["reason"], "two\nlines, \"quoted\" \\ é\U0001f600")

    def test_what_makes_no_sense_is_refused(self):
        ident = self.in_force()
        self.agree_at("north", "resume", ident, status=3)
        self.agree_at("north", "suspend", "--at", "2026-01-01", ident, status=2)
        self.agree_at("north", "suspend", ident)
        self.agree_at("north", "suspend", ident, status=3)
        self.agree_at("north", "propose", "draft.json", status=3)
        another = "1" if ident.startswith("urn:uuid:0") else "0"
        self.agree_at("north", "show", f"urn:uuid:{another}", status=3)
        self.agree_at("north", "export", status=2)
        self.agree_at("north", "key", "--as", "other.test", status=3)
        self.agree_at("north", "key", "--trust", "south.test", "not a key", status=3)
        self.at("stranger", "agreement", "propose", "--teams", "teams.json", "--as", "east.test", "draft.json", status=2)

    def test_a_clock_that_jumps_back_brings_nothing_back(self):
        ident = self.in_force()
        self.agree_at("north", "end", ident)
        self.assertEqual(self.routed("north")[0], (0, 0, 1))
        seen = self.folder / "north" / "seen"
        text = seen.read_text()
        year = str(datetime.datetime.now().year)
        self.assertIn(year, text)
        seen.write_text(text.replace(year + "-", str(int(year) + 1) + "-", 1))
        counts, done = self.routed("north", "2026-06-01")
        self.assertEqual(counts, (0, 0, 1))
        self.assertIn("clock", done.stderr)
        self.agree_at("north", "suspend", ident, status=3)
        self.assertIn("behind", self.agree_at("north", "clock").stdout)
        self.agree_at("north", "clock", "--reset")
        self.assertIn("trusted", self.agree_at("north", "clock").stdout)

    def test_a_journal_that_was_touched_is_refused(self):
        ident = self.in_force()
        self.agree_at("north", "suspend", ident)
        journal = self.folder / "north" / "journal.jsonl"
        lines = journal.read_text().splitlines(keepends=True)
        last = lines[-1]
        for text in (lines[:-1], lines[:-2] + [last], lines[:-1] + [last.replace("suspended", "proposed")],
                     lines[:-1] + [last[:-20]], lines[1:], [], lines[:-1] + [last, last]):
            journal.write_text("".join(text))
            done = self.at("north", "route", *OPTIONS, "--quiet", "--teams", "teams.json", "--feeds", "feeds.json",
                           self.input, status=3)
            self.assertIn("journal", done.stderr)
            self.agree_at("north", "list", status=3)
        journal.unlink()
        self.agree_at("north", "list", status=3)
        journal.write_text("".join(lines))
        self.assertEqual(self.standing("north", ident), "suspended")

    def test_a_run_cut_off_before_its_journal_line_is_made_good(self):
        self.know()
        ident = self.draft()
        self.agree_at("north", "propose", "draft.json")
        self.agree_at("south", "sign", self.exported("north", ident, "to-south.json"))
        self.exported("south", ident, "to-north.json")
        files = [self.folder / "north" / name for name in ("journal.jsonl", "seen")]
        before = [f.read_bytes() for f in files]
        self.agree_at("north", "sign", "to-north.json")
        for f, text in zip(files, before):
            f.write_bytes(text)
        told = self.agree_at("north", "sign", "to-north.json").stdout
        self.assertIn("signed by south.test; signed by all", told)
        events = json.loads(self.agree_at("north", "show", "--json", ident).stdout)["events"]
        self.assertEqual([e["event"] for e in events], ["proposed", "signed", "signed"])
        self.assertIn("nothing new", self.agree_at("north", "sign", "to-north.json").stdout)

    def test_the_register_says_who_sends(self):
        ident = self.in_force()
        words = ["route", *OPTIONS, "--json", "--quiet", "--feeds", "feeds.json"]
        self.assertEqual(json.loads(self.at("north", *words, "--teams", "teams.json", self.input).stdout)["released"], 1)
        self.write("others.json", [team("south.test", "SE", constituency={"prefixes": ["192.0.2.0/24"]})])
        done = self.at("north", *words, "--teams", "others.json", self.input, status=3)
        self.assertIn("no team of the directory has as its id", done.stderr)
        done = self.at("north", *words, "--teams", "teams.json", "--agreements", "draft.json", self.input)
        self.assertIn("1 agreement is not signed by all parties", done.stderr)
        self.assertIn(ident, self.agree_at("north", "list").stdout)

    def test_the_key_is_guarded(self):
        self.know()
        key = self.folder / "north" / "key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        key.chmod(0o644)
        self.draft()
        self.agree_at("north", "propose", "draft.json", status=3)

    def test_named_agreements_need_no_register(self):
        ident = self.in_force()
        self.agree_at("north", "end", ident)
        self.assertEqual(self.routed("north", None, "--agreements", "to-north.json")[0], (1, 0, 0))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
