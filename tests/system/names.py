"""A server for names on loopback, where a node's courier.dns may lead:

    node = Node(..., "--courier.dns", Names("theirs.test", quiet=["silent.test"]).address)
"""
import contextlib
import socket
import threading


class Names(threading.Thread):
    """HERE are names of 127.0.0.1, what QUIET lists is never told, of WRONG comes garbage; all others are not there. ASKED is what
    anybody wanted to know."""

    def __init__(self, *here, quiet=(), wrong=()):
        super().__init__(daemon=True)
        self.here, self.quiet, self.wrong, self.asked = here, quiet, wrong, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                query, who = self.socket.recvfrom(4096)
                answer = self.answer(query)
                if answer is not None:
                    self.socket.sendto(answer, who)

    def answer(self, query):
        end = query.index(b"\0", 12) + 5
        head, question, kind = query[:2], query[12:end], query[end - 4:end - 2]
        name = self.read(question)
        self.asked.append(name)
        if name in self.quiet:
            return None
        if name in self.wrong:
            return head + b"\x81\x80" + b"\xff" * 60
        if name not in self.here:
            return head + b"\x81\x83\0\1\0\0\0\0\0\0" + question
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if kind == b"\0\1" else b""
        return head + b"\x81\x80\0\1\0" + bytes([bool(record)]) + b"\0\0\0\0" + question + record

    @staticmethod
    def read(question):
        labels, at = [], 0
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode("latin-1").lower())
            at += 1 + question[at]
        return ".".join(labels)
