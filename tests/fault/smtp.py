"""A real SMTP server on a port of loopback that the kernel gives (python3-aiosmtpd), with what one wants of it:

    with Server(folder) as server:
        server.port; server.answers.append("451 busy"); server.wait(1); server.mails[0].content
"""
import contextlib
import socket
import ssl
import subprocess
import sys
import threading
import types

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's modules, whoever's Python this is
try:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
except ImportError:
    print("SKIPPED: no python3-aiosmtpd here; ./dev deps installs it")
    sys.exit(77)

PATIENCE = 60


def certificate(folder, name="localhost"):
    """A CA's own certificate for a server's name, with its key beside it."""
    cert, key = folder / "smtp.pem", folder / "smtp.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-out", str(cert),
                    "-keyout", str(key)], check=True, capture_output=True)
    return cert, key


class Server:
    def __init__(self, tls=None, starttls=None, password=None, host="127.0.0.1", **options):
        """TLS, STARTTLS: (certificate, key) to begin with, or to offer; PASSWORD: of `node`, which must sign in."""
        self.mails, self.answers, self.dialogue, self.changed = [], [], [], threading.Condition()
        self.greeted, self.begun = 0, []  # connections; and whom a mail was said to be from
        self.password, self.hold, self.drop = password, None, 0
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls or starttls else None
        if context:
            context.load_cert_chain(*(tls or starttls))
        if starttls:
            options.update(tls_context=context, require_starttls=True)
        if password:
            options.update(authenticator=self.authenticate, auth_required=True, auth_require_tls=False)
        server = self

        class Talk(SMTP):
            def connection_made(self, transport):
                with server.changed:
                    server.greeted += 1
                    server.changed.notify_all()
                super().connection_made(transport)

            async def smtp_DATA(self, arg):  # noqa: N802 (the library's name)
                if server.drop:
                    server.drop -= 1
                    self.transport.abort()
                    return
                await super().smtp_DATA(arg)

        class Here(Controller):
            def factory(self):
                return Talk(self.handler, **self.SMTP_kwargs)

        with contextlib.closing(socket.create_server((host, 0))) as found:
            self.port = found.getsockname()[1]
        self.make = lambda: Here(self, hostname=host, port=self.port, ssl_context=context if tls else None, decode_data=False, **options)
        self.controller = None

    def start(self):
        self.controller = self.make()
        self.controller.start()
        self.greeted = 0  # it was the first one itself
        return self

    def stop(self):
        self.controller.stop()

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def authenticate(self, _server, _session, _envelope, _mechanism, given):
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"node", self.password.encode())
        return AuthResult(success=right)

    async def handle_MAIL(self, _server, _session, envelope, who, options):  # noqa: N802 (the library's name)
        self.begun.append(who)
        envelope.mail_from = who
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 (the library's name)
        if self.hold is not None:
            self.hold.wait(PATIENCE)
        with self.changed:
            answer = self.answers.pop(0) if self.answers else "250 taken"
            self.dialogue.append(answer)
            if answer.startswith("250"):
                self.mails.append(types.SimpleNamespace(content=envelope.original_content, sender=envelope.mail_from,
                                                        to=envelope.rcpt_tos, tls=_server.transport.get_extra_info("ssl_object") is not None, host=session.host_name))
            self.changed.notify_all()
        return answer

    def wait(self, count):
        """Until COUNT mails were taken."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.mails) >= count, PATIENCE):
                raise AssertionError(f"{len(self.mails)} mails came, not {count}: {self.dialogue}")
            return self.mails[count - 1]

    def wait_said(self, count):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.dialogue) >= count, PATIENCE):
                raise AssertionError(f"it answered {len(self.dialogue)} times, not {count}")
