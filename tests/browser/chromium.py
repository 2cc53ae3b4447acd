"""What do tests need that drive a browser, and how is one of their scripts run?"""
import json
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


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
