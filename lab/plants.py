"""One fault for each checker: what is not found then is not looked for.

They are made in the stores of nodes that are stopped for it, as no node would; the leak is an agreement laxer than the one that the oracle
is asked by.
"""
import contextlib
import copy
import sqlite3

BATCH_TABLES = ["batch", "batch_body", "batch_filter", "batch_digest"]


def largest_batch(store):
    """What was handed in here; what others told comes in smaller ones."""
    return store.execute("SELECT number FROM batch ORDER BY reports DESC LIMIT 1").fetchone()[0]


def lost(store):
    """A batch that was acknowledged is gone."""
    batch = largest_batch(store)
    for table in BATCH_TABLES:
        store.execute(f"DELETE FROM {table} WHERE number = ?", (batch,))


def doubled(store):
    """A batch is there twice."""
    batch = largest_batch(store)
    other = store.execute("SELECT last FROM counter WHERE name = 'batch'").fetchone()[0] + 1
    for table in BATCH_TABLES:
        row = list(store.execute(f"SELECT * FROM {table} WHERE number = ?", (batch,)).fetchone())
        names = [c[1] for c in store.execute(f"PRAGMA table_info({table})")]
        row[names.index("number")] = other
        store.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    store.execute("UPDATE counter SET last = ? WHERE name = 'batch'", (other,))


def unproven(store):
    """An entry of the ledger says another count."""
    store.execute("UPDATE ledger_entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"items\":', '\"items\":1') AS BLOB) WHERE number = 0")


def unbalanced(store):
    """One report is counted that never was."""
    store.execute("UPDATE tally SET value = value + 1 WHERE value = (SELECT max(value) FROM tally)")


STORES = {"lost": lost, "doubled": doubled, "unproven": unproven, "unbalanced": unbalanced}


def plant_leak(world):
    """The last team's node gets a laxer baseline than it has; the oracle's is the right one. What the node is given."""
    team = world.ids[-1]
    documents = copy.deepcopy(world.agreements[team])
    documents[0]["clauses"][0].update(tlp_max="amber+strict", treatment={})
    return team, documents


def plant_in_stores(fleet):
    """One each in the stores of the first nodes."""
    nodes = fleet.nodes[1:1 + len(STORES)]
    for node, (_, change) in zip(nodes, STORES.items()):
        node.stop()
        with contextlib.closing(sqlite3.connect(node.home / "node.db")) as store:
            change(store)
            store.commit()
    fleet.start(nodes, len(nodes), lambda done: None)
