"""Estimates a second, for scripts that run without costline."""

import json
import sys
import time


def question():
    """The question, as given on the command line."""
    return json.loads(sys.argv[1])


def rate(ask, least=3.0):
    """Calls of ``ask(number)`` a second of processor time, over `least` seconds; each call has another question."""
    ask(0)
    calls, started = 0, time.process_time()
    while (passed := time.process_time() - started) < least:
        calls += 1
        ask(calls)
    return calls / passed


def answer(**found):
    """The answer, as the last line of stdout."""
    sys.stdout.write(f"\n{json.dumps(found)}\n")
