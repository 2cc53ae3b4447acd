#!/usr/bin/env python3
"""The lab at eight nodes: with faults nothing is lost, doubled, leaked or unproven; with planted ones each is found.

usage: lab.py COMITY SHIM|none [--no-sandbox]
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest
import xml.dom.minidom

COMITY, SHIM, WALLS = sys.argv[1], sys.argv[2], sys.argv[3:]
LAB = pathlib.Path(__file__).resolve().parents[2] / "lab" / "lab.py"
sys.path[:0] = [str(LAB.parent), *(str(LAB.parents[1] / "tests" / name) for name in ("oracle", "system"))]
import judge  # noqa: E402 (of the lab, which was made known)

KINDS = ["lost", "doubled", "leaked", "unproven", "unbalanced"]


def lab(*options):
    """Exit status, figures, and what was said."""
    done = subprocess.run([sys.executable, LAB, "--json", "--comity", COMITY, "--shim", SHIM, *WALLS, *map(str, options)],
                          capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


class Lab(unittest.TestCase):
    def test_nothing_is_lost_doubled_leaked_or_unproven(self):
        with tempfile.TemporaryDirectory() as folder:
            picture = pathlib.Path(folder) / "picture.svg"
            status, told, said = lab("--teams", 8, "--economies", 5, "--reports", 1600, "--seed", 3, "--faults", 3, "--picture", picture)
            self.assertIsNotNone(told, said)
            self.assertEqual((status, {kind: told[kind] for kind in KINDS}), (0, dict.fromkeys(KINDS, 0)), said)
            self.assertEqual((told["teams"], told["economies"], told["reports"]), (8, 5, 1607), said)
            self.assertGreater(told["delivered"], 800, said)
            self.assertIsNotNone(told["p99_ms"], said)
            drawn = xml.dom.minidom.parse(str(picture))
            self.assertEqual(len([r for r in drawn.getElementsByTagName("rect")]), 1 + 5 * 2 + 5 * 5)

    def test_each_planted_fault_is_found(self):
        status, told, said = lab("--teams", 6, "--economies", 4, "--reports", 300, "--plant")
        self.assertIsNotNone(told, said)
        self.assertEqual(status, 1, said)
        for kind in KINDS:
            self.assertGreater(told[kind], 0, f"{kind}\n{said}")

    def test_a_decision_is_found_by_the_id_that_a_report_has_everywhere(self):
        """A report of another node's has another id where a person decided on it; of what two told, one of both is let go."""
        one = judge.Judge.__new__(judge.Judge)
        one.evidence = types.SimpleNamespace(
            reports=[{"id": "here-1", "known_as": "there"}, {"id": "here-2", "known_as": "there"}, {"id": "own", "known_as": None}],
            held=[{"report": "here-1", "team": "a.test", "state": "released"}, {"report": "here-2", "team": "a.test", "state": "refused"},
                  {"report": "own", "team": "a.test", "state": "refused"}])
        self.assertEqual(one.decided(), {("there", "a.test"): "released", ("own", "a.test"): "refused"})

    def test_what_cannot_be_is_said(self):
        for options, words in ((["--teams", 3, "--economies", 4], "not 3 in 4"), (["--teams", 3000, "--economies", 4], "not 3000 in 4")):
            status, told, said = lab(*options)
            self.assertEqual((status, told), (1, None))
            self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
