"""IntelMQ's Shadowserver parser and experts, in process and without Redis: rows of CPU time.

usage: intelmq_peer.py CSV SCHEMA parser             prints rows and seconds
       intelmq_peer.py CSV SCHEMA chain ROUTES
chain: behind the parser the deduplicator (its Redis is a dictionary here, which is faster), the ASN look-up with pyasn over
ROUTES, the taxonomy expert and the file output; each event serialised and read again between bots as IntelMQ's pipeline does.
Bots log as they do by default (INFO).
Runs with a Python that has the package intelmq; as IntelMQ asks, not as root. $INTELMQ_ROOT_DIR is a folder it may
write. Counted: parse, convert, serialize; its start and its reading of the schema are not.
"""
import base64
import pathlib
import shutil
import sys
import time
import unittest


def prepare(reference, message_type):
    """A bot of that class as IntelMQ's own tests make it."""
    from intelmq.lib import test  # pylint: disable=import-error

    test.BOT_CONFIG["logging_level"] = "INFO"

    class Case(test.BotTestCase, unittest.TestCase):
        @classmethod
        def set_bot(cls):
            cls.bot_reference = reference
            cls.default_input_message = {"__type": message_type}

    Case.setUpClass()
    case = Case(methodName="run")
    case.prepare_bot()
    return case.bot


def chain_of(routes, folder):
    """Deduplicator, its cache in memory, ASN look-up, taxonomy expert and file output."""
    from intelmq.bots.experts.asn_lookup.expert import ASNLookupExpertBot  # pylint: disable=import-error
    from intelmq.bots.experts.deduplicator.expert import DeduplicatorExpertBot  # pylint: disable=import-error
    from intelmq.bots.experts.taxonomy.expert import TaxonomyExpertBot  # pylint: disable=import-error
    from intelmq.bots.outputs.file.output import FileOutputBot  # pylint: disable=import-error
    from intelmq.lib.mixins import cache  # pylint: disable=import-error
    seen = {}
    cache.CacheMixin.__init__ = lambda self, **kwargs: super(cache.CacheMixin, self).__init__()
    cache.CacheMixin.cache_exists = lambda self, key: key in seen
    cache.CacheMixin.cache_set = lambda self, key, value, ttl=None: seen.__setitem__(key, value)
    DeduplicatorExpertBot.filter_keys, DeduplicatorExpertBot.filter_type = "raw,time.observation", "blacklist"
    ASNLookupExpertBot.database, FileOutputBot.file = routes, str(folder / "events.txt")
    return [prepare(bot, "Event")
            for bot in (DeduplicatorExpertBot, ASNLookupExpertBot, TaxonomyExpertBot, FileOutputBot)]


def through(bot, text, harmonization):
    """What the bot sends when it is sent TEXT; an output sends nothing."""
    from intelmq.lib import message  # pylint: disable=import-error
    sent = []
    bot.receive_message = lambda: message.MessageFactory.unserialize(text, harmonization=harmonization)
    bot.send_message = lambda *messages, **kwargs: sent.extend(each.serialize() for each in messages)
    bot.acknowledge_message = lambda: None
    bot.process()
    return sent


def main():
    import intelmq  # pylint: disable=import-error
    state = pathlib.Path(intelmq.VAR_STATE_PATH) / "shadowserver-schema.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    for path in (state, state.parent / "shadowserver" / state.name):
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(sys.argv[2], path)
    from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot
    from intelmq.lib import message
    bot = prepare(ShadowserverParserBot, "Report")
    chain = chain_of(sys.argv[4], state.parent) if sys.argv[3] == "chain" else []
    raw = base64.b64encode(pathlib.Path(sys.argv[1]).read_bytes()).decode()
    report = message.MessageFactory.from_dict(
        {"__type": "Report", "feed.name": "bench", "time.observation": "2026-01-01T00:00:00+00:00", "raw": raw,
         "extra.file_name": "2026-03-01-event4_sinkhole_http-bench-asn.csv"}, harmonization=bot.harmonization)
    rows = events = 0
    start = time.process_time()
    for row in bot.parse(report):
        for event in bot.parse_line(row, report):
            texts = [event.serialize()]
            for each in chain:
                texts = [sent for text in texts for sent in through(each, text, bot.harmonization)]
            events += 1
        rows += 1
    seconds = time.process_time() - start
    if events == 0 or (chain and (state.parent / "events.txt").stat().st_size == 0):
        sys.exit("no event came out of the chain")
    print(rows, seconds)


if __name__ == "__main__":
    main()
