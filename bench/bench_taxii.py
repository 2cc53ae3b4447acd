#!/usr/bin/env python3
"""bench taxii: what do pages of 100 objects cost over 64 kept connections, beside nginx sending the same bytes from files?

A collection of a million objects (--objects N), 2,000 of its pages in twenty walks; wrk asks for them, without and with TLS,
the node and nginx in turns. Both are pinned to one CPU and wrk to the other where there are two. Figures: requests a second,
and CPU time of the servers' processes for a request. The cost of the first page beside the last tells how it grows.

usage: bench_taxii.py [--json] [--objects N] [--seconds S] [--rounds N]
"""
import argparse
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import node_load as load
from figure import figure, tell

ARGUMENTS = sys.argv[1:]
sys.argv[1:] = [str(load.COMITY)]  # for the node
os.environ["COMITY_SHARE"] = str(load.ROOT / "share")
sys.path.append(str(load.ROOT / "tests" / "taxii"))
import taxii_node  # noqa: E402

CONNECTIONS, WALKS, WALK, PAGE, REACH = 64, 20, 100, 100, 0.5


def cpu_seconds(pids):
    return sum(load.cpu_seconds(pid) for pid in pids)


def children(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children(int(child))
    return found


def pin(pids, cpu):
    if os.cpu_count() > 1:
        for pid in pids:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {cpu})


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="comity-bench-"))
        self.node = self.nginx = None

    # ---- the node and its pages ----

    def fill(self):
        self.node = taxii_node.Node()
        self.node.share("bench", "Bench")
        self.token = self.node.token("bb")
        self.node.stop()
        subprocess.run([load.ROOT / "build" / "bench" / "taxii_fill", self.node.home, "bench", str(self.options.objects)], check=True)

    def start(self, tls):
        self.node.stop()
        self.node.tls, self.node.more = tls, ["--log.level", "warning"]
        self.node.start(quiet=True)

    def pages(self):
        """Paths of pages, and nginx's files with the same bytes."""
        client = taxii_node.Client(self.node.port, token=self.token)
        step = self.options.objects // WALKS
        first = client.get("/comity/collections/bench/manifest/", limit=1).json()["objects"][0]["date_added"]
        paths, site = [], self.folder / "site"
        site.mkdir()
        for walk in range(WALKS):
            after = self.later(first, walk * step - 1)
            for _ in range(WALK):
                query = urllib.parse.urlencode({"limit": PAGE, "added_after": after})
                answer = client.get(f"/comity/collections/bench/objects/?{query}")
                assert answer.status == 200 and len(answer.json()["objects"]) == PAGE, answer.body[:200]
                (site / f"{len(paths)}.json").write_bytes(answer.body)
                paths.append(f"/comity/collections/bench/objects/?{query}")
                after = answer.headers["X-TAXII-Date-Added-Last"]
        client.close()
        self.bytes = sum(f.stat().st_size for f in site.iterdir()) / len(paths)
        return paths

    @staticmethod
    def later(time_, objects):
        """date_added counts microseconds in a collection that was filled at once."""
        whole, part = time_[:-1].split(".")
        from datetime import datetime, timedelta, timezone
        moment = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc) + timedelta(microseconds=int(part) + objects)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # ---- nginx ----

    def start_nginx(self):
        self.nginx_port, self.nginx_tls_port = load.free_port(), load.free_port()
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
            user {os.environ.get('USER', 'root')} root;
            events {{ worker_connections 1024; }}
            http {{ {temporary} access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=4000;
              types {{ }} default_type "application/taxii+json;version=2.1";
              add_header X-TAXII-Date-Added-First 2026-11-25T08:15:00.000000Z; add_header X-TAXII-Date-Added-Last 2026-11-25T08:15:00.000000Z;
              server {{ listen 127.0.0.1:{self.nginx_port}; root {self.folder}/site; }}
              server {{ listen 127.0.0.1:{self.nginx_tls_port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
                        root {self.folder}/site; }} }}""")
        os.chmod(self.folder, 0o755)
        self.nginx = subprocess.Popen(["nginx", "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.nginx_port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("nginx does not start: " + (self.folder / "error.log").read_text())

    # ---- asking ----

    def script(self, name, paths):
        headers = f'wrk.headers["Authorization"]="Bearer {self.token}"; wrk.headers["Accept"]="application/taxii+json;version=2.1"'
        listed = self.folder / f"{name}.paths"
        listed.write_text("\n".join(paths) + "\n")
        path = self.folder / f"{name}.lua"
        path.write_text(f"""{headers}
            local paths = {{}} for line in io.lines("{listed}") do paths[#paths + 1] = line end
            local n = 0
            request = function() n = n % #paths + 1 return wrk.format("GET", paths[n]) end""")
        return path

    def ask(self, port, tls, script, pids):
        before, began = cpu_seconds(pids), time.monotonic()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{self.options.seconds}s", "-s", script,
                   f"{'https' if tls else 'http'}://127.0.0.1:{port}"]
        if os.cpu_count() > 1:
            command = ["taskset", "-c", "1", *command]
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        took = time.monotonic() - began
        count = int(re.search(r"(\d+) requests in", said).group(1))
        assert "Non-2xx" not in said, said
        return count / took, (cpu_seconds(pids) - before) / count * 1e6

    def compare(self, tls, ours, theirs):
        self.start(tls)
        node_pids, nginx_pids = children(self.node.process.pid), children(self.nginx.pid)
        pin(node_pids + nginx_pids, 0)
        rounds = []
        for _ in range(self.options.rounds):
            mine = self.ask(self.node.port, tls, ours, node_pids)
            nginx = self.ask(self.nginx_tls_port if tls else self.nginx_port, tls, theirs, nginx_pids)
            rounds.append((mine, nginx))
        return rounds

    def one_page_us(self, paths):
        """Median time of one page asked alone, of the first walk and of the last: does the place matter?"""
        client = taxii_node.Client(self.node.port, token=self.token)
        result = []
        for part in (paths[:WALK], paths[-WALK:]):
            times = []
            for _ in range(5):
                for path in part:
                    began = time.perf_counter()
                    client.get(path)
                    times.append(time.perf_counter() - began)
            result.append(statistics.median(times) * 1e6)
        client.close()
        return result

    def run(self):
        self.fill()
        self.start(False)
        paths = self.pages()
        self.start_nginx()
        ours, theirs = self.script("ours", paths), self.script("nginx", [f"/{n}.json" for n in range(len(paths))])
        figures = []
        for tls in (False, True):
            figures += told(tls, self.compare(tls, ours, theirs), self.bytes)
        self.start(False)
        first, last = self.one_page_us(paths)
        return [*figures, figure("page alone, last place beside first", last, "us", 0.8, beside=first, ratios=[first / last])]

    def close(self):
        if self.nginx is not None:
            self.nginx.terminate()
            self.nginx.wait()
        if self.node is not None:
            self.node.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def told(tls, rounds, size):
    how = "TLS" if tls else "plain"
    figures = []
    for what, unit, at, better in ((f"pages of {PAGE} ({size / 1000:.0f} kB), {how}", "requests/s", 0, lambda mine, nginx: mine / nginx),
                                   (f"CPU of a page, {how}", "us", 1, lambda mine, nginx: nginx / mine)):
        figures.append(figure(what, statistics.median(m[at] for m, _ in rounds), unit, REACH,
                              beside=statistics.median(n[at] for _, n in rounds), ratios=[better(mine[at], nginx[at]) for mine, nginx in rounds]))
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--objects", type=int, default=1000000)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(ARGUMENTS)
    absent = [name for name in ("nginx", "wrk", "openssl") if shutil.which(name) is None]
    if absent:
        why = f"{', '.join(absent)} missing; apt-get install nginx-light wrk openssl"
        return tell("taxii", [figure(f"pages of {PAGE}", None, "requests/s", REACH, why=why)], options.json)
    bench = Bench(options)
    try:
        figures = bench.run()
    finally:
        bench.close()
    return tell("taxii", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
