#!/usr/bin/env python3
"""Does the node run within the system calls that the service's unit leaves it, and does systemd take the unit as it is?

usage: service.py COMITY UNIT     (COMITY_SHARE names the share folder)
tests/interop/systemd starts the unit under a systemd of its own, as root; this needs no rights.
"""
import contextlib
import ctypes
import errno
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from node import PATIENCE, ROLES, Local, Node

COMITY, UNIT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
REPORTS = b"".join(b'{"source.ip": "193.0.6.%d", "classification.type": "infected-system", "feed.provider": "E", "tlp": "GREEN"}\n' % i
                   for i in range(100))
SCMP_ACT_ALLOW, SCMP_ACT_ERRNO = 0x7FFF0000, 0x00050000


def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], capture_output=True, timeout=PATIENCE, check=False, text=True)


def members(name, found):
    """The system calls of a systemd group, with those of the groups in it."""
    if name in found:
        return
    found.add(name)
    if name.startswith("@"):
        for line in analyze("syscall-filter", name).stdout.splitlines()[1:]:
            if line.strip() and not line.strip().startswith("#"):
                members(line.strip(), found)


def left_by_the_unit():
    """Names of what SystemCallFilter= leaves; @default is always there."""
    found = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(encoding="utf-8"), re.M):
        for name in ["@default", *line.split()]:
            members(name, found)
    return sorted(name for name in found if not name.startswith("@"))


def leave_only(names):
    """What runs before the node starts: everything else is EPERM, as systemd makes it."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(SCMP_ACT_ERRNO | errno.EPERM))
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and library.seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0) != 0:
            raise OSError(f"no rule for {name}")

    def enter():
        if library.seccomp_load(context) != 0:
            raise OSError("no filter")
    return enter


NET_BIND_SERVICE, DAC_OVERRIDE = 1 << 10, 1 << 1
PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 28, 47, 2


def as_the_unit_gives(library=ctypes.CDLL(None, use_errno=True)):
    """What runs before the node starts: no right of root's is left but the unit's one, which exec keeps."""
    def data(mask):
        return (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable

    if library.prctl(PR_SET_SECUREBITS, 0xF, 0, 0, 0) != 0:  # NOROOT and NO_SETUID_FIXUP, both locked
        raise OSError("no securebits")
    if library.capset((ctypes.c_uint32 * 2)(0x20080522, 0), data(NET_BIND_SERVICE)) != 0:
        raise OSError("no capset")
    if library.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 10, 0, 0) != 0:
        raise OSError("no ambient capability")


def low_port():
    """One below 1024 that nobody listens on."""
    for port in range(1023, 511, -1):
        with contextlib.suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port
    raise unittest.SkipTest("no low port is free")


def capabilities(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return {name: int(value, 16) for name, value in re.findall(r"^Cap(Inh|Prm|Eff|Amb):\s+(\w+)$", status, re.M)}


class Unit(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def test_systemd_understands_it(self):
        unit = self.folder / "comity.service"
        unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={COMITY}", UNIT.read_text(encoding="utf-8"), flags=re.M), encoding="utf-8")
        done = analyze("verify", "--man=no", str(unit))
        self.assertEqual([line for line in done.stderr.splitlines() if "comity.service" in line], [], done.stderr)
        done = analyze("security", "--offline=yes", "--threshold=20", str(unit))
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "only root can give a capability away")
    def test_no_role_keeps_the_capability(self):
        """It is for binding a low port, and for nothing after that; a role that is started anew does not get it back."""
        node = Node(COMITY, self.folder / "home", "--listen.partners", f"127.0.0.1:{low_port()}", before=as_the_unit_gives)
        self.addCleanup(node.close)
        node.kill("front partners")
        for pid in [node.process.pid, *(node.pid(role) for role in ROLES)]:
            self.assertEqual(set(capabilities(pid).values()), {0}, pid)
        self.assertEqual(node.stop(), 0, node.log())

    @unittest.skipIf(os.geteuid() != 0, "only root has any")
    def test_of_roots_rights_only_files_are_left(self):
        node = Node(COMITY, self.folder / "home")
        self.addCleanup(node.close)
        for role in [None, *ROLES]:
            left = capabilities(node.pid(role) if role else node.process.pid)
            most = DAC_OVERRIDE if role in (None, "core") else 0
            self.assertEqual({name: value & ~most for name, value in left.items()}, {"Inh": 0, "Prm": 0, "Eff": 0, "Amb": 0}, role)

    def test_all_roles_live_within_its_system_calls(self):
        names = left_by_the_unit()
        self.assertIn("read", names)
        self.assertNotIn("ptrace", names)
        node = Node(COMITY, self.folder / "home", "--courier", "on", "--mail", "on", "--mail.from", "a@north.test", "--mail.smtp",
                    "smtp://127.0.0.1:9", "--mail.sign-key", "a@north.test", before=leave_only(names))
        self.addCleanup(node.close)
        roles = [line["which"] for line in node.find("role ready")]
        self.assertEqual(sorted(roles), sorted([*ROLES, "mailer"]))
        for role in roles:
            self.assertRegex(pathlib.Path(f"/proc/{node.pid(role)}/status").read_text(encoding="utf-8"), r"Seccomp:\s2")
        door = Local(node.home)
        self.addCleanup(door.close)
        door.request("POST", "/api/v1/reports", REPORTS, {"Content-Type": "application/x-ndjson"})
        answer = door.getresponse()
        self.assertEqual(answer.status, 200, answer.read())
        since = node.mark()
        node.send(signal.SIGHUP)
        node.wait("settings read", since)
        for role in ("core", "mailer", "front partners"):
            node.kill(role)
        backup = subprocess.run([COMITY, "store", "backup", "--home", str(node.home), str(self.folder / "copy.db")],
                                capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(backup.returncode, 0, backup.stderr)
        self.assertEqual(node.stop(), 0, node.log())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
