"""The nodes: each a real one with a data folder and an address of its own, started, killed, paused and stopped together.

One thread waits for all of them: they say that they are ready by the service manager's protocol (sd_notify), and what they log goes
into files. Every node is a process group of its own, so that nothing is left of one that is killed.
"""
import contextlib
import json
import os
import pathlib
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

from node import Local

PORTS = {"partners": 8444, "operators": 8443}
SMALL = {  # what a node of a few hundred reports a day needs
    "tls": "on", "http.connections": "600", "http.connections-per-address": "0", "front.cache": "256 KiB", "store.cache": "1 MiB",
    "duplicates.window": "65536", "login.rate": "10000", "log.format": "json", "log.level": "info", "start.deadline": "10min",
    "watch": "off"}
PATIENCE = 120


class Node:
    def __init__(self, fleet, team, number):
        self.fleet, self.team, self.number = fleet, team, number
        self.home = fleet.folder / f"{number:03}"
        self.log_path = fleet.folder / f"{number:03}.log"
        self.host = f"127.{fleet.network}.{number // 250}.{number % 250 + 1}"
        self.url = f"https://{self.host}:{PORTS['partners']}"
        self.process, self.ready, self.environment = None, False, {}

    def prepare(self, world, settings):
        """The data folder as an operator would make it: settings, agreements, the secret of pseudonyms."""
        self.home.mkdir(mode=0o700)
        values = {**SMALL, "team": self.team, "teams": self.fleet.folder / "teams.json", "feeds": self.fleet.folder / "feeds.json",
                  "agreements": self.home / "agreements.json", "share": self.fleet.share,
                  **{f"listen.{door}": f"{self.host}:{port}" for door, port in PORTS.items()}, **settings}
        (self.home / "comity.conf").write_text("".join(f"{name} = {value}\n" for name, value in values.items()), encoding="utf-8")
        (self.home / "agreements.json").write_text(json.dumps(world.agreements[self.team]), encoding="utf-8")
        secret = self.home / "secret"
        secret.write_text(world.secrets[self.team].hex() + "\n", encoding="utf-8")
        secret.chmod(0o600)

    def start(self):
        if self.fleet.closed:
            return
        self.ready = False
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.fleet.comity, "serve", "--home", self.home, *self.fleet.walls], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, **self.environment, "NOTIFY_SOCKET": "@" + self.fleet.notify_name})
        self.fleet.tell_keeper(self.process.pid)
        self.fleet.by_pid[self.process.pid] = self

    def pids(self):
        """Of the parent and its roles, by role, as they are now."""
        out = {"parent": self.process.pid}
        try:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return {}
        for pid in map(int, children):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                out[" ".join(w.decode() for w in words[1:3] if w and not w.startswith(b"-")) or words[0].decode()] = pid
        return out

    def turn_on(self):
        """Outgoing channels are off until an operator turns them on."""
        conf = self.home / "comity.conf"
        conf.write_text(conf.read_text(encoding="utf-8").replace("courier = off\n", "courier = on\n"), encoding="utf-8")
        os.kill(self.process.pid, signal.SIGHUP)

    def publish(self):
        """Its team's own card, signed, as text."""
        done = subprocess.run([self.fleet.comity, "team", "publish", "--as", self.team, "--url", self.url, "--home", self.home],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"lab: {self.team} cannot publish its card: {done.stderr}")
        return done.stdout

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self):
        """As if its machine had lost power; what the kernel has is kept."""
        self.signal(signal.SIGKILL)
        self.ended()

    def stop(self):
        self.process.terminate()
        self.ended()

    def ended(self):
        self.process.wait()
        self.fleet.tell_keeper(-self.process.pid)
        self.ready = False

    def local(self):
        return Local(self.home, PATIENCE)

    def ask(self, path, method="GET", body=None, kind="application/json"):
        """(status, JSON) of the local door; (0, why) if it did not answer."""
        connection = self.local()
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        except (OSError, ValueError) as why:
            return 0, str(why)
        finally:
            connection.close()

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")


class Fleet:
    def __init__(self, comity, share, folder, walls, keep):
        self.comity, self.share, self.folder, self.walls = comity, share, folder, walls
        self.nodes, self.by_pid, self.by_team, self.closed = [], {}, {}, False
        self.notify_name = f"comity-lab-{os.getpid()}"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.notify.bind("\0" + self.notify_name)
        self.notify.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.notify, selectors.EVENT_READ)
        self.network = self.free_network()
        self.keeper = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / "keeper.py", *([] if keep else [folder])],
                                       stdin=subprocess.PIPE, start_new_session=True)

    def tell_keeper(self, pid):
        os.write(self.keeper.stdin.fileno(), b"%d\n" % pid)

    @staticmethod
    def free_network():
        """The second number of loopback addresses that nobody listens at: two labs may run at the same time."""
        for network in range(64 + os.getpid() % 128, 256):
            with socket.socket() as one:
                with contextlib.suppress(OSError):
                    one.bind((f"127.{network}.0.1", PORTS["partners"]))
                    return network
        raise SystemExit("lab: no free loopback addresses")

    def prepare(self, world, settings):
        (self.folder / "feeds.json").write_text(json.dumps(world.feeds), encoding="utf-8")
        for number, team in enumerate(world.ids):
            node = Node(self, team, number)
            self.nodes.append(node)
            self.by_team[team] = node
        for card in world.cards:
            card["channels"] = [{"type": "comity", "address": self.by_team[card["id"]].url, "encrypted": True,
                                 **({"receipt": True} if card["id"] in world.with_receipts else {})}]
        (self.folder / "teams.json").write_text(json.dumps(world.cards), encoding="utf-8")
        for node in self.nodes:
            node.prepare(world, settings)

    def let_keeper_end(self):
        """It ends what still runs."""
        self.closed = True
        os.close(self.keeper.stdin.fileno())
        self.keeper.wait()

    def hear(self, seconds):
        """Which nodes became ready within SECONDS; returns as soon as something was heard."""
        if not self.selector.select(seconds):
            return []
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                text, control, _, _ = self.notify.recvmsg(4096, socket.CMSG_SPACE(12))
                pid = struct.unpack("3i", control[0][2])[0]
                if b"READY=1" in text and pid in self.by_pid:
                    self.by_pid[pid].ready = True
                    found.append(self.by_pid[pid])
        return found

    def start(self, nodes, at_once, tell):
        """All of them, AT_ONCE of them at the same time; the seconds that it took."""
        begun, waiting, going, done = time.monotonic(), list(reversed(nodes)), set(), 0
        while waiting or going:
            while waiting and len(going) < at_once:
                node = waiting.pop()
                node.start()
                going.add(node)
            for node in self.hear(1):
                going.discard(node)
                done += 1
            for node in [n for n in going if n.process.poll() is not None]:
                raise SystemExit(f"lab: the node of {node.team} ended with {node.process.returncode}:\n{node.log()[-3000:]}")
            if time.monotonic() - begun > PATIENCE + len(nodes):
                raise SystemExit(f"lab: nodes never became ready: {', '.join(sorted(n.team for n in going))}")
            tell(done)
        return time.monotonic() - begun

    def close(self):
        """Nothing is left running, whatever happened."""
        self.closed = True
        started = [n for n in self.nodes if n.process is not None]
        for node in started:
            node.signal(signal.SIGKILL)
        for node in started:
            node.ended()
        self.let_keeper_end()

    def cpu(self):
        """Seconds that all roles which run now have used: what other work on this machine changes little."""
        total = 0
        for node in self.nodes:
            for pid in node.pids().values():
                with contextlib.suppress(OSError):
                    total += int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        return total

    def memory(self):
        """Private bytes of all roles of all nodes, and what the world table and the binary share, once."""
        total = 0
        for node in self.nodes:
            for pid in node.pids().values():
                with contextlib.suppress(OSError):
                    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
                    total += sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
        return total
