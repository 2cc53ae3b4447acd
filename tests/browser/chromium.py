"""What do tests need that drive a browser, and how is one of their scripts run?"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# What attackers write; harness.mjs looks whether it runs.
EVIL = "<script>window.pwned=1</script><img src=x onerror=\"window.pwned=1\">\"'`${pwned}=cmd|' /C calc'!A0"


def missing(npm):
    """In words; "" if nothing is."""
    if shutil.which("node") is None:
        return "node is not installed"
    if shutil.which("chromium") is None:
        return "chromium is not installed; ./dev deps installs it"
    if not (npm / "fetched").exists():
        return "npm's packages were not fetched; ./dev test does it where npm can be reached"
    return ""


def drive(script, given, seconds=580):
    """SCRIPT's exit status."""
    return subprocess.run(["node", str(HERE / script), json.dumps(given)], timeout=seconds, check=False).returncode


def main(npm, run, other=""):
    """Ends the program with RUN's exit status, given a folder that goes with it; with 77 where something is missing, OTHER or what browsers need."""
    lacks = missing(npm) or other
    if lacks:
        print("SKIPPED: " + lacks)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(pathlib.Path(folder)))
