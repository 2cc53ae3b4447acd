"""IntelMQ's Shadowserver parser, in process and without Redis: rows of CPU time.

usage: intelmq_peer.py CSV SCHEMA       prints rows and seconds
Runs with a Python that has the package intelmq; as IntelMQ asks, not as root. $INTELMQ_ROOT_DIR is a folder it may
write. Counted: parse, convert, serialize; its start and its reading of the schema are not.
"""
import base64
import pathlib
import shutil
import sys
import time
import unittest


def main():
    import intelmq  # pylint: disable=import-error
    state = pathlib.Path(intelmq.VAR_STATE_PATH) / "shadowserver-schema.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    for path in (state, state.parent / "shadowserver" / state.name):
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(sys.argv[2], path)
    from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot
    from intelmq.lib import message, test

    class Case(test.BotTestCase, unittest.TestCase):
        @classmethod
        def set_bot(cls):
            cls.bot_reference = ShadowserverParserBot
            cls.default_input_message = {"__type": "Report"}

    Case.setUpClass()
    case = Case(methodName="run")
    case.prepare_bot()
    bot = case.bot
    raw = base64.b64encode(pathlib.Path(sys.argv[1]).read_bytes()).decode()
    report = message.MessageFactory.from_dict(
        {"__type": "Report", "feed.name": "bench", "time.observation": "2026-01-01T00:00:00+00:00", "raw": raw,
         "extra.file_name": "2026-03-01-event4_sinkhole_http-bench-asn.csv"}, harmonization=bot.harmonization)
    rows = 0
    start = time.process_time()
    for row in bot.parse(report):
        for event in bot.parse_line(row, report):
            event.serialize()
        rows += 1
    print(rows, time.process_time() - start)


if __name__ == "__main__":
    main()
