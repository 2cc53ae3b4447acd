"""Does the console show people how the node is: processes, log, mail, figures; in print, by the keyboard, and when something fails?

usage: operations.py COMITY NPM [--no-sandbox]     (COMITY_SHARE names the share folder)

NPM is the folder that tools/npm filled. Starts a node whose partner and mail server are not there, and lets operations.mjs drive Chromium
through its console.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "system"))
import chromium
from linked import Linked, reports

COMITY, NPM, OPTIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
EVIL = "<img src=x onerror=\"window.pwned=1\">\u202egnp.exe\x1b[31m=cmd|' C calc'!A0"
SIGNER = "reports@north.test"


def gpg(folder, *words):
    done = subprocess.run(["gpg", "--batch", "--quiet", "--no-tty", "--homedir", str(folder), *words], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_key(folder, who):
    folder.mkdir(mode=0o700, parents=True)
    gpg(folder, "--passphrase", "", "--quick-gen-key", who, "future-default", "default", "0")
    return gpg(folder, "--armor", "--export", who)


def prepare(folder, node):
    """What operators see: a way that fails, a role that died, a file that could not be read, whose name is an attacker's."""
    card = {"id": "east.test", "name": "East", "kind": "national", "economies": ["XE"], "source": "test", "verified": True,
             "node": {"url": f"https://127.0.0.1:{node.nowhere}", "certificate": "ab" * 32}}
    (folder / "east.json").write_text(json.dumps(card), encoding="utf-8")
    node.command("peer", "add", str(folder / "east.json"))
    node.take(reports(10))
    (node.home / "incoming" / f"{EVIL}.csv").write_text("no\nreport\n", encoding="utf-8")
    node.node.kill("front partners")
    node.until(lambda: "gnp.exe" in node.command("log", "--text", "gnp.exe", "--level", "warning"), "the file's line")
    node.until(lambda: node.get("/api/v1/peers/east.test")["ways"][0]["failures"] > 0, "a way that fails")


def run(folder):
    keys = [folder / "north.test" / "gnupg", folder / "south-keys"]
    make_key(keys[0], f"North <{SIGNER}>")
    (folder / "south.asc").write_bytes(make_key(keys[1], "South <abuse@south.test>"))
    with contextlib.closing(socket.socket()) as nobody:  # bound, and not listening: whoever connects is refused
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        node = Linked(COMITY, folder, "north.test", *OPTIONS, "--mail", "on", "--mail.from", SIGNER, "--mail.smtp",
                      f"smtp://127.0.0.1:{port}", "--mail.sign-key", SIGNER)
        node.nowhere = port
        try:
            prepare(folder, node)
            reader = node.command("account", "add", "a-reader", "--kind", "reader").strip()
            given = {"url": f"https://{node.node.address['operators']}", "npm": str(NPM.resolve()), "reader": reader,
                     "first": node.node.first_password(), "key": str(folder / "south.asc"),
                     "walls": not OPTIONS, "evil": EVIL[:EVIL.index("\u202e")]}
            return chromium.drive("operations.mjs", given)
        finally:
            node.close()
            for one in keys:
                subprocess.run(["gpgconf", "--homedir", str(one), "--kill", "gpg-agent"], capture_output=True, check=False)


chromium.main(NPM, run, "" if shutil.which("gpg") else "gpg is not installed; ./dev deps installs it")
