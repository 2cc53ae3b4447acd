"""What the tests tell the shim (shim.c has the same as struct control)."""
import mmap
import pathlib
import struct

WORD = 32
FIELDS = {"role": (0, WORD), "armed": (32, 0), "count": (40, 0), "die_at": (48, 0), "died": (56, 0), "last": (64, WORD),
          "sync_error": (96, 0), "write_error": (104, 0), "skip": (112, 0), "failures": (120, 0), "failed": (128, 0), "amid": (136, 0), "clock_us": (144, 0)}
FOR_EVER = 1 << 62


class Control:
    def __init__(self, path, shim):
        self.__dict__["path"], self.__dict__["shim"] = pathlib.Path(path), shim
        self.path.write_bytes(bytes(4096))
        with open(path, "r+b") as file:
            self.__dict__["memory"] = mmap.mmap(file.fileno(), 4096)

    @property
    def environment(self):
        return {"LD_PRELOAD": str(self.shim), "FAULT_CONTROL": str(self.path)}

    def __getattr__(self, name):
        at, word = FIELDS[name]
        if word:
            return self.memory[at:at + word].split(b"\0")[0].decode()
        return struct.unpack_from("<q", self.memory, at)[0]

    def __setattr__(self, name, value):
        at, word = FIELDS[name]
        if word:
            self.memory[at:at + word] = value.encode().ljust(word, b"\0")
        else:
            struct.pack_into("<q", self.memory, at, value)

    def arm(self, role, die_at, amid=0):
        """ROLE's next life counts too: it dies at its DIE_ATth boundary from now on, once."""
        self.armed = 0
        self.role, self.count, self.die_at, self.died, self.amid = role, 0, die_at, 0, amid
        self.armed = 1

    def disarm(self):
        self.armed = 0

    def fail(self, role, failures=FOR_EVER, skip=0, sync=0, write=0):
        self.failures = 0
        self.role, self.skip, self.sync_error, self.write_error, self.failed = role, skip, sync, write, 0
        self.failures = failures

    def heal(self):
        self.failures = 0
