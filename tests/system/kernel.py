"""A kernel that lacks what the sandbox needs: calls are refused in this process and what it runs."""
import ctypes
import errno
import platform
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
LANDLOCK_CREATE_RULESET = 444
PRCTL, SECCOMP = {"x86_64": (157, 317), "aarch64": (167, 277)}.get(platform.machine(), (None, None))
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def refuse(*rules):
    """Make the kernel refuse the calls (number, first argument or None) in this process and what it runs."""
    fail, allow, code = struct.pack("HBBI", 0x06, 0, 0, 0x50000 | errno.ENOSYS), struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000), b""
    for number, argument in rules:
        code += struct.pack("HBBI", 0x20, 0, 0, 0) + struct.pack("HBBI", 0x15, 0, 1 if argument is None else 3, number)
        if argument is not None:
            code += struct.pack("HBBI", 0x20, 0, 0, 16) + struct.pack("HBBI", 0x15, 0, 1, argument)
        code += fail
    code += allow
    program = Program(len(code) // 8, code)
    if LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or LIBC.prctl(PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter")


def no_landlock():
    refuse((LANDLOCK_CREATE_RULESET, None))


def no_seccomp():
    refuse((SECCOMP, None), (PRCTL, PR_SET_SECCOMP))


def has_landlock():
    return LIBC.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) >= 1
