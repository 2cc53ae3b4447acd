#!/usr/bin/env python3
"""bench taxii-peer: pages of 100 objects from Comity and from Medallion and OpenTAXII, with the same objects and the same client.

The peers come from PyPI, into build-interop/peers; each is run as its documents say for a small installation (Medallion: its memory
backend; OpenTAXII: gunicorn with one worker and SQLite). One that cannot be had is said so and its figures are null.

usage: bench_taxii-peer.py [--json] [--objects N]
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

import node_load as load
from figure import figure, tell

ARGUMENTS = sys.argv[1:]
sys.argv[1:] = [str(load.COMITY)]  # for the node
os.environ["COMITY_SHARE"] = str(load.ROOT / "share")
sys.path.append(str(load.ROOT / "tests" / "taxii"))
import taxii_node  # noqa: E402
from sections import tool  # noqa: E402

REACH, ROUNDS, PAGE = 100, 3, 100
PEERS = load.ROOT / "build-interop" / "peers"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


class Absent(Exception):
    pass


def install(name, *packages):
    folder = PEERS / name
    if not (folder / "ready").exists():
        for command in ([sys.executable, "-m", "venv", folder], [folder / "bin" / "pip", "-q", "install", *packages]):
            done = subprocess.run(command, capture_output=True, check=False, timeout=600)
            if done.returncode != 0:
                raise Absent(done.stderr.decode().strip().splitlines()[-1])
        (folder / "ready").touch()
    return folder / "bin"


def until_up(port, process):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        client = taxii_node.Client(port, "admin", "secret")
        try:
            if client.get("/taxii2/").status == 200:
                return client
        except (OSError, http.client.HTTPException):
            pass
        client.close()
        time.sleep(0.1)
    raise Absent("it does not start")


class Medallion:
    name = "Medallion 3.0.0"

    def __init__(self, folder, objects):
        programs = install("medallion", "medallion==3.0.0", "flask<2.3", "werkzeug<2.3", "setuptools<70")
        data = {"/discovery": {"title": "x", "default": "http://localhost/api1/", "api_roots": ["http://localhost/api1/"]},
                "api1": {"information": {"title": "x", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 10000000},
                         "status": [], "collections": [{"id": COLLECTION, "title": "x", "can_read": True, "can_write": True,
                                                        "media_types": ["application/stix+json;version=2.1"], "objects": objects,
                                                        "manifest": [{"id": o["id"], "date_added": f"2026-01-01T00:00:00.{n:06}Z",
                                                                      "version": o["modified"], "media_type": "application/stix+json;version=2.1"}
                                                                     for n, o in enumerate(objects)]}]}}
        (folder / "data.json").write_text(json.dumps(data))
        (folder / "medallion.conf").write_text(json.dumps({
            "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(folder / "data.json")}, "users": {"admin": "secret"},
            "taxii": {"max_page_size": PAGE}}))
        port = load.free_port()
        self.process = subprocess.Popen([programs / "medallion", "--host", "127.0.0.1", "--port", str(port), "--log-level", "ERROR",
                                         folder / "medallion.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.client, self.path = until_up(port, self.process), f"/api1/collections/{COLLECTION}/objects/"
        except Absent:
            self.close()
            raise

    def close(self):
        self.process.terminate()
        self.process.wait()


class OpenTAXII:
    name = "OpenTAXII 0.9.3"

    def __init__(self, folder, objects):
        programs = install("opentaxii", "opentaxii==0.9.3", "gunicorn", "flask<2.3", "werkzeug<2.3", "sqlalchemy<2", "marshmallow<3.20", "setuptools<70")
        database = f"sqlite:///{folder}/opentaxii.db"
        (folder / "opentaxii.yml").write_text(f"""---
domain: "127.0.0.1"
support_basic_auth: yes
auth_api: {{class: opentaxii.auth.sqldb.api.SQLDatabaseAPI, parameters: {{db_connection: "{database}", create_tables: yes, secret: x}}}}
taxii1:
taxii2:
  contact: x
  description: x
  title: x
  public_discovery: true
  max_content_length: 99999999
  persistence_api: {{class: opentaxii.persistence.sqldb.api.Taxii2SQLDatabaseAPI, parameters: {{db_connection: "{database}", create_tables: yes}}}}
""")
        env = {**os.environ, "OPENTAXII_CONFIG": str(folder / "opentaxii.yml")}
        run = lambda *words: subprocess.run(words, env=env, check=True, capture_output=True, timeout=60).stdout.decode()
        try:
            run(programs / "opentaxii-create-account", "--username", "admin", "--password", "secret", "--admin")
            run(programs / "opentaxii-add-api-root", "-t", "x", "--default")
            root = self.only(folder, "opentaxii_api_root")
            run(programs / "opentaxii-add-collection", "-r", root, "-t", "x", "--public", "--public-write")
            collection = self.only(folder, "opentaxii_collection")
        except (subprocess.CalledProcessError, FileNotFoundError) as failed:
            raise Absent(f"it is not to be set up: {str(getattr(failed, 'stderr', failed))[-200:]}") from failed
        port = load.free_port()
        self.process = subprocess.Popen([programs / "gunicorn", "opentaxii.http:app", "--bind", f"127.0.0.1:{port}"], env=env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.client, self.path = until_up(port, self.process), f"/taxii2/{root}/collections/{collection}/objects/"
            for at in range(0, len(objects), PAGE):
                answer = self.client.ask("POST", self.path, {"objects": objects[at:at + PAGE]})
                # Of some versions only the answer fails: what was kept is counted when it is read.
                if answer.status not in (202, 500):
                    raise Absent(f"it takes no objects: {answer.status}")
        except Absent:
            self.close()
            raise

    @staticmethod
    def only(folder, table):
        with contextlib.closing(sqlite3.connect(folder / "opentaxii.db")) as database:
            return str(uuid.UUID(str(database.execute(f"SELECT id FROM {table}").fetchone()[0])))

    def close(self):
        self.process.terminate()
        self.process.wait()


class Comity:
    name = "Comity"

    def __init__(self, _, objects):
        self.node = taxii_node.Node()
        self.node.share("x")
        ana = self.node.client("ana")
        for at in range(0, len(objects), PAGE):
            assert ana.post("x", objects[at:at + PAGE]).status == 202
        ana.close()
        self.client, self.path = self.node.client("bb"), f"{taxii_node.ROOT}collections/x/objects/"

    def close(self):
        self.client.close()
        self.node.close()


def objects_a_second(server, count):
    began, found, query = time.monotonic(), 0, {"limit": PAGE}
    while True:
        answer = server.client.get(server.path, **query)
        assert answer.status in (200, 206), answer.body[:200]
        page = answer.json()
        found += len(page.get("objects", []))
        if not page.get("more"):
            break
        if "next" in page:
            query["next"] = page["next"]
        else:
            query["added_after"] = answer.headers["X-TAXII-Date-Added-Last"]
    assert found == count, f"{server.name}: {found} of {count}"
    return found / (time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--objects", type=int, default=1000)
    options = parser.parse_args(ARGUMENTS)
    objects = [tool(n, description="d" * 250) for n in range(options.objects)]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="comity-peer-"))
    figures, ours = [], Comity(folder, objects)
    try:
        for peer in (Medallion, OpenTAXII):
            figures.append(beside(peer, ours, folder, objects))
    finally:
        ours.close()
        shutil.rmtree(folder, ignore_errors=True)
    return tell("taxii-peer", figures, options.json)


def beside(peer, ours, folder, objects):
    what, unit = f"pages of {PAGE} of {len(objects)} objects, {peer.name}", "objects/s"
    alone = lambda why: figure(what, objects_a_second(ours, len(objects)), unit, REACH, why=str(why))
    place = folder / peer.__name__
    place.mkdir()
    try:
        theirs = peer(place, objects)
    except (Absent, subprocess.SubprocessError, OSError) as why:
        return alone(why)
    try:
        objects_a_second(theirs, len(objects))
        rounds = [(objects_a_second(ours, len(objects)), objects_a_second(theirs, len(objects))) for _ in range(ROUNDS)]
    except AssertionError as why:  # not all of what was put in came out of it
        return alone(why)
    finally:
        theirs.close()
    return figure(what, statistics.median(m for m, _ in rounds), unit, REACH, beside=statistics.median(o for _, o in rounds),
                  ratios=[mine / other for mine, other in rounds])


if __name__ == "__main__":
    sys.exit(main())
