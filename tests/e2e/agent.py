#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""agent.py CASE FLOWGEN LOG: talks to a `flowgen agent` as a program would, and checks what it says. The node has the pods web and dst.

All that the agent writes goes to LOG, for schema.py; all that it is asked is held against the schema here, unless a case means to be wrong.
"""

import base64
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

import jsonschema

HERE = os.path.dirname(os.path.realpath(__file__))
SLOW = 60 if os.environ.get("FLOWGEN_TEST_INSIDE") else 20
DENIED = ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:9999", "--proto", "udp"]
CATCH = ["catch", "--pod", "netns:dst", "--proto", "udp", "--dport", "9"]

with open(HERE + "/../../doc/agent.schema.json", encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)
REQUEST = jsonschema.Draft202012Validator({"$ref": "#/$defs/request", "$defs": SCHEMA["$defs"]})


class Agent:
    """One agent. Its answers by id, in their order."""

    def __init__(self, *options):
        self.process = subprocess.Popen([FLOWGEN, "agent", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)
        self.rest = b""
        self.answers = {}
        self.ended = False
        self.hello = self.read()["agent"]

    def write(self, line):
        self.process.stdin.write(line if isinstance(line, bytes) else line.encode())

    def ask(self, **request):
        REQUEST.validate(request)
        self.write(json.dumps(request) + "\n")

    def run(self, ident, *words, **more):
        self.ask(id=ident, args=list(words), **more)

    def read(self, seconds=SLOW):
        """The next answer; None at the end of its output."""
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], f"no answer for {seconds} s; so far: {self.answers}"
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                assert not self.rest, self.rest
                self.ended = True
                return None
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        LOG.write(line + b"\n")
        answer = json.loads(line)
        self.answers.setdefault(answer.get("id"), []).append(answer)
        return answer

    def until(self, ident, key):
        """Reads on until this request has such an answer, or has had one; returns its value."""
        for answer in self.answers.get(ident, []):
            if key in answer:
                return answer[key]
        while (answer := self.read()) is not None:
            if answer.get("id") == ident and key in answer:
                return answer[key]
        raise AssertionError(f"ended before {ident} had {key}: {self.answers}")

    def all(self, ident, key):
        return [answer[key] for answer in self.answers.get(ident, []) if key in answer]

    def rest_of(self):
        """Reads to the end; returns the exit status and standard error."""
        while not self.ended:
            self.read()
        return self.process.wait(SLOW), self.process.stderr.read().decode()

    def end(self):
        self.ask(end=True)
        return self.rest_of()

    def children(self):
        return children_of(self.process.pid)


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return []


def offspring(pid):
    """A process and all below it."""
    return [pid, *(other for child in children_of(pid) for other in offspring(child))]


def lives(pid):
    """Whether it is there, and more than a name that nobody has waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true, what):
    end = time.monotonic() + SLOW
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(.02)


def gone(pids):
    wait_until(lambda: not [pid for pid in pids if lives(pid)], f"none of {pids} is left")


def status_of(agent, ident):
    done = agent.until(ident, "done")
    return done["status"]


def memory(pid):
    """The most that it has ever held, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])


def catching(agent, ident):
    """A request that goes on until it is ended."""
    agent.run(ident, *CATCH)
    assert "catching on" in agent.until(ident, "message")


# --- the cases ---


def parallel():
    """Ten requests at once, of all kinds, four at a time: each has its own answers."""
    agent = Agent("--parallel", "4", "--node", "n1")
    assert agent.hello["protocol"] == 1 and agent.hello["node"] == "n1" and agent.hello["parallel"] == 4
    assert agent.hello["host"] == os.uname().nodename and agent.hello["kernel"] == os.uname().release
    scenario = "name: s\npods: {web: netns:web}\nprobes:\n  - {from: web, to: 10.9.0.9, proto: udp, dport: 9999, expect: deny}\n"
    for i in range(7):
        agent.run(f"i{i}", *DENIED[:4], f"10.9.0.9:{9990 + i}", *DENIED[5:], "--name", f"name {i}")
    agent.run("pods", "pods")
    agent.run("check", "check")
    agent.run("run", "run", "@s.yaml", files={"s.yaml": scenario})
    most = 0
    while len([a for answers in agent.answers.values() for a in answers if "done" in a]) < 10:
        most = max(most, len(agent.children()))
        assert agent.read() is not None
    assert 1 < most <= 4, f"{most} at a time"
    for i in range(7):
        result, = agent.all(f"i{i}", "result")
        assert result["name"] == f"name {i}" and result["packet"]["dport"] == 9990 + i
        assert agent.all(f"i{i}", "done") == [{"status": 0, "signal": None, "cancelled": False}]
    assert {"dst", "web"} <= {pod["name"] for pod in agent.all("pods", "result")}
    assert agent.all("check", "result")[0]["schema"] == "flowgen.check/1"
    probe, summary = agent.all("run", "result")
    assert probe["policy"]["verdict"] == "denied" and probe["scenario"]["file"] == "s.yaml", probe["scenario"]
    assert summary["schema"] == "flowgen.run/1"
    assert agent.end() == (0, "")


def in_order():
    """One at a time, they run in the order in which they were asked for."""
    agent = Agent("--parallel", "1")
    for i in range(5):
        agent.run(f"r{i}", "inject", "--dry-run", "--src", "10.9.1.2", "--dst", f"10.9.0.9:{i + 1}")
    agent.end()
    assert list(agent.answers) == [None, *(f"r{i}" for i in range(5))], list(agent.answers)


def cancel():
    agent = Agent("--parallel", "2", "--grace", "5s")
    catching(agent, "c")
    # SIGINT is not enough for this one.
    agent.run("stubborn", "exec", "--pod", "netns:web", "--", "sh", "-c", "trap '' INT; echo begun; while :; do sleep 1; done")
    agent.until("stubborn", "text")
    agent.run("waits", *DENIED)
    agent.ask(id="waits", cancel=True)
    assert agent.until("waits", "done") == {"status": None, "signal": None, "cancelled": True}
    below = [pid for child in agent.children() for pid in offspring(child)]
    agent.ask(id="c", cancel=True)
    assert agent.until("c", "done") == {"status": 0, "signal": None, "cancelled": True}
    agent.ask(id="stubborn", cancel=True)
    assert agent.until("stubborn", "done") == {"status": None, "signal": "SIGKILL", "cancelled": True}
    gone(below)
    # Nobody has this id any more: no answer, and it can be used again.
    agent.ask(id="c", cancel=True)
    agent.ask(id="c", ping=True)
    agent.until("c", "pong")
    assert [key for answer in agent.answers["c"] for key in answer if key != "id"][-2:] == ["done", "pong"]
    assert agent.end() == (0, "")


def go():
    """What holds its first packet back sends it when it is told, and not before; others do not notice."""
    agent = Agent()
    assert agent.hello["go"] is True
    catching(agent, "c")
    for ident in ("told", "ended"):
        agent.run(ident, *DENIED, "--hold")
        assert agent.until(ident, "message") == "flowgen: awaiting"
    time.sleep(.3)
    agent.ask(id="c", go=True)
    agent.ask(id="nobody", go=True)
    agent.ask(id="c", ping=True)
    agent.until("c", "pong")
    assert not agent.all("told", "result") and not agent.all("c", "done"), agent.answers
    agent.ask(id="told", go=True)
    assert status_of(agent, "told") == 0 and agent.all("told", "result")[0]["policy"]["verdict"] == "denied"
    agent.ask(id="ended", cancel=True)
    assert agent.until("ended", "done") == {"status": 4, "signal": None, "cancelled": True}
    assert not agent.all("ended", "result") and "interrupted before the packet was sent" in agent.all("ended", "message")[-1]
    # It may come before it is waited for.
    agent.run("early", *DENIED, "--hold")
    agent.ask(id="early", go=True)
    assert status_of(agent, "early") == 0 and len(agent.all("early", "result")) == 1, agent.answers["early"]
    agent.ask(id="c", cancel=True)
    agent.until("c", "done")
    assert agent.end() == (0, "")
    # Or before it has begun: it waits for its turn.
    agent = Agent("--parallel", "1")
    agent.run("first", *DENIED, "--hold")
    agent.run("second", *DENIED, "--hold")
    assert agent.until("first", "message") == "flowgen: awaiting"
    agent.ask(id="second", go=True)
    agent.ask(id="first", go=True)
    assert status_of(agent, "first") == 0 and status_of(agent, "second") == 0, agent.answers
    assert agent.end() == (0, "")


def malformed():
    """What is no request is told, with the number of its line, and the next one is followed."""
    agent = Agent()
    catching(agent, "c")
    lines = ["nonsense", "[1]", '{"id": "x", "args": ["demo"]}', '{"id": "y", "args": ["inject"], "what": 1}', '{"id": "c", "args": ["pods"]}', ""]
    for line in lines:
        agent.write(line + "\n")
    agent.write(b'{"id": "\xff", "ping": true}\n')
    agent.write(b'{"id": "long", "stdin": "' + b"x" * agent.hello["line_bytes"] + b'"}\n')
    agent.ask(id="p", ping=True)
    agent.until("p", "pong")
    errors = [a for answers in agent.answers.values() for a in answers if "error" in a]
    assert [(e["id"], e["line"]) for e in sorted(errors, key=lambda e: e["line"])] == [
        (None, 2), (None, 3), ("x", 4), ("y", 5), (None, 6), (None, 7), (None, 8), (None, 9)], errors
    assert all(e["status"] == 2 for e in errors), errors
    said = {e["line"]: e["error"] for e in errors}
    assert "no verb 'demo' for an agent (it has inject, run, exec, pods, check, catch)" in said[4]
    assert "no key 'what'" in said[5] and "in use" in said[6] and "4194304 bytes" in said[9]
    # A request that flowgen itself refuses is no error of the protocol.
    agent.run("wrong", "inject", "--pod", "netns:web")
    assert status_of(agent, "wrong") == 2
    assert agent.all("wrong", "message")[0].startswith("flowgen: ")
    agent.ask(id="c", cancel=True)
    assert agent.end() == (0, "")


def files():
    """Files that a request reads and writes, as text and as bytes, and its standard input."""
    agent = Agent()
    agent.run("w", "inject", "--dry-run", "--src", "10.9.1.2", "--dst", "10.9.0.9:53", "--proto", "udp", "--payload", "@@body", "--write", "@f.pcap",
              files={"body": {"base64": base64.b64encode(b"\0\xff body").decode()}}, outputs=["f.pcap"])
    assert status_of(agent, "w") == 0, agent.answers["w"]
    capture = b"".join(base64.b64decode(a["base64"]) if "base64" in a else a["text"].encode() for a in agent.answers["w"] if "file" in a)
    assert capture.endswith(b"\0\xff body") and len(capture) == 24 + 16 + 14 + 28 + 7, len(capture)
    for ident, more in (("file", {"files": {"c": {"base64": base64.b64encode(capture).decode()}}}),
                        ("stdin", {"stdin": {"base64": base64.b64encode(capture).decode()}})):
        agent.run(ident, *DENIED[:3], "--pcap", "@c" if ident == "file" else "-", **more)
        assert status_of(agent, ident) == 0, agent.answers[ident]
        result, = agent.all(ident, "result")
        assert result["packet"]["proto"] == "udp" and result["packet"]["dport"] == 53
    # A scenario's mistake is told by the client's own name for the file.
    agent.run("bad", "run", "@bad.yaml", files={"bad.yaml": "name: [\n"})
    assert status_of(agent, "bad") == 2
    assert agent.all("bad", "message")[0].startswith("flowgen: bad.yaml:2:1: "), agent.answers["bad"]
    scenario = "name: s\npods: {web: netns:web}\nprobes:\n  - {from: web, to: 10.9.0.9, proto: udp, dport: 9999, expect: deny}\n"
    agent.run("junit", "run", "@a", "--output", "junit", "--tap=@t", "--report", "@r.html", files={"a": scenario}, outputs=["t", "r.html"])
    assert status_of(agent, "junit") == 0
    assert not agent.all("junit", "result") and "<testsuites" in "\n".join(agent.all("junit", "text"))
    parts = {name: "".join(a["text"] for a in agent.answers["junit"] if a.get("file") == name) for name in ("t", "r.html")}
    assert parts["t"].startswith("TAP version") and parts["r.html"].rstrip().endswith("</html>"), parts
    agent.run("record", "run", "--record", "@a", files={"a": scenario})
    assert status_of(agent, "record") == 0 and "name: s" in agent.all("record", "text")
    # No room for a file of the host's under this name, and none was made.
    agent.run("none", "run", "@a")
    assert status_of(agent, "none") == 2
    assert agent.end() == (0, "")


def execute():
    """A command's own output, bytes and all, and the report of its flows."""
    agent = Agent()
    agent.run("e", "exec", "--pod", "netns:web", "--report=@flows", "--", "bash", "-c",
              "cat; printf 'a\\nb\\377\\n{\"not\": \"ours\"}\\nlast'; echo oops >&2; echo x > /dev/udp/10.9.0.9/7; exit 7",
              stdin="in\n", outputs=["flows"])
    assert status_of(agent, "e") == 7, agent.answers["e"]
    out = [(key, a[key]) for a in agent.answers["e"] for key in ("text", "base64", "result") if key in a and "file" not in a]
    assert out == [("text", "in"), ("text", "a"), ("base64", base64.b64encode(b"b\xff").decode()), ("result", {"not": "ours"}), ("text", "last")], out
    assert "oops" in agent.all("e", "message")
    flow, = [json.loads(line) for line in "".join(a["text"] for a in agent.answers["e"] if "file" in a).splitlines()]
    assert flow["schema"] == "flowgen.exec/1" and "10.9.0.9" in json.dumps(flow), flow
    assert agent.end() == (0, "")


def end_of_input():
    """All is cancelled, what runs and what waits, and nothing is left; what was said by then is still read."""
    agent = Agent("--parallel", "1")
    catching(agent, "c")
    agent.run("waits", *DENIED)
    below = [pid for child in agent.children() for pid in offspring(child)]
    assert below
    agent.process.stdin.close()
    status, said = agent.rest_of()
    assert (status, said) == (4, ""), (status, said)
    assert agent.all("c", "done") == [{"status": 0, "signal": None, "cancelled": True}]
    assert agent.all("waits", "done") == [{"status": None, "signal": None, "cancelled": True}]
    gone(below)
    # With nothing to cancel it is an end like any other.
    agent = Agent()
    agent.process.stdin.close()
    assert agent.rest_of() == (0, "")


def lost_reader():
    agent = Agent()
    catching(agent, "c")
    below = [pid for child in agent.children() for pid in offspring(child)]
    agent.process.stdout.close()
    assert agent.process.wait(SLOW) == 5
    assert agent.process.stderr.read().decode() == "flowgen: standard output: nobody reads it\n"
    gone(below)


def signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        agent = Agent()
        catching(agent, "c")
        agent.process.send_signal(number)
        assert agent.rest_of() == (4, "")
        assert agent.all("c", "done")[0]["cancelled"]


def killed():
    """SIGKILL of the agent, with requests of all kinds at work: their processes end with it."""
    agent = Agent()
    catching(agent, "c")
    agent.run("i", *DENIED, "--count", "0", "--summary")
    agent.run("e", "exec", "--pod", "netns:web", "--", "sh", "-c", "echo begun; sleep 1000")
    agent.until("e", "text")
    below = [pid for child in agent.children() for pid in offspring(child)]
    assert len(below) > 4, below
    agent.process.kill()
    agent.process.wait()
    gone(below)


def slow_reader():
    """Nobody reads for a while: the agent does not grow, and then all of it comes, whole and in order."""
    agent = Agent()
    agent.run("many", "inject", "--dry-run", "--src", "10.9.1.2", "--dst", "10.9.0.9", "--dport", "1-20000")
    agent.run("few", "check")
    pids = agent.children
    wait_until(lambda: len(pids()) == 1, "the small request has ended and the big one waits")
    before = -1
    while before != (before := written(agent.process.pid)):
        time.sleep(.3)
    for i in range(2000):
        agent.write(json.dumps({"id": f"p{i}", "ping": True}) + "\n")
    assert status_of(agent, "many") == 0
    ports = [result["packet"]["dport"] for result in agent.all("many", "result")]
    assert ports == list(range(1, 20001)), (len(ports), ports[:3])
    agent.until("p1999", "pong")
    held = memory(agent.process.pid)
    total = sum(len(json.dumps(a)) for a in agent.answers["many"]) // 1024
    assert total > 20000 and held < 12000, f"{held} KiB held, of {total}"
    assert agent.end() == (0, "")


def written(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return int(re.search(r"wchar: (\d+)", file.read())[1])


def ends():
    """Deadline, idleness, and what keeps an agent from being idle."""
    agent = Agent("--deadline", "5s")
    agent.run("c", *CATCH)
    assert agent.rest_of() == (4, "flowgen: note: the time of --deadline is over\n")
    done, = agent.all("c", "done")
    assert done["cancelled"]
    agent = Agent("--idle", "5s")
    begun = time.monotonic()
    for i in range(6):
        time.sleep(1)
        agent.ask(id="p", ping=True)
    assert agent.rest_of() == (0, "flowgen: note: nothing was said for the time of --idle\n")
    assert len(agent.all("p", "pong")) == 6 and time.monotonic() - begun > 10.9
    # It holds, and does not read.
    agent = Agent("--hold", "--idle", "1ms")
    agent.ask(id="p", ping=True)
    agent.process.stdin.close()
    assert not select.select([agent.process.stdout], [], [], .5)[0]
    agent.process.terminate()
    assert agent.rest_of() == (0, "")


def too_many():
    """More than may wait are refused, and the others are not lost."""
    agent = Agent("--parallel", "1")
    limit = agent.hello["waiting"]
    catching(agent, "c")
    for i in range(limit + 2):
        agent.run(f"w{i}", "check")
        if not i % 100:
            agent.ask(id="sync", ping=True)
            agent.read()
    refused = [agent.until(f"w{i}", "error") for i in (limit, limit + 1)]
    assert all("too many requests wait" in text for text in refused), refused
    agent.process.stdin.close()
    assert agent.rest_of()[0] == 4
    assert all(agent.all(f"w{i}", "done") for i in range(limit))


def host_root():
    """The agent's --host-root is that of its requests, unless they have their own."""
    agent = Agent("--host-root", "/nowhere")
    agent.run("handed", *DENIED)
    agent.run("own", *DENIED, "--host-root", "/")
    agent.run("check", "check")
    assert status_of(agent, "handed") == 3 and "/nowhere/proc" in agent.all("handed", "message")[0], agent.answers["handed"]
    assert status_of(agent, "own") == 0 and agent.all("own", "result")[0]["policy"]["verdict"] == "denied"
    assert status_of(agent, "check") == 0
    assert agent.end() == (0, "")


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def confined():
    """What waits has no capability in effect; what holds has none, and starts nothing; a request is confined before it begins."""
    full = status("self")
    agent = Agent()
    own = status(agent.process.pid)
    assert int(own["CapEff"], 16) == 0 and own["CapPrm"] == full["CapPrm"], own
    agent.run("c", *CATCH)
    agent.run("x", "exec", "--pod", "netns:web", "--", "cat", "/proc/self/status")
    agent.until("c", "message")
    child, = (pid for pid in agent.children() if b"catch" in open(f"/proc/{pid}/cmdline", "rb").read())
    # One filter of the agent's, and one of its own.
    wait_until(lambda: int(status(child)["Seccomp_filters"]) == int(full["Seccomp_filters"]) + 2, "two filters")
    assert status_of(agent, "x") == 0, agent.answers["x"]
    # The client's own command is as it would be without an agent.
    seen = dict(line.split(":\t", 1) for line in agent.all("x", "text") if ":\t" in line)
    assert seen["CapEff"] == full["CapEff"] and seen["NoNewPrivs"] == full["NoNewPrivs"] and seen["Seccomp"] == full["Seccomp"], seen
    agent.ask(id="c", cancel=True)
    assert agent.end() == (0, "")
    agent = Agent("--hold")
    own = status(agent.process.pid)
    assert int(own["CapPrm"], 16) == int(own["CapBnd"], 16) == 0 and own["NoNewPrivs"] == "1" and own["Seccomp"] == "2", own
    agent.process.terminate()
    assert agent.rest_of() == (0, "")


def main():
    global FLOWGEN, LOG
    FLOWGEN = sys.argv[2]
    with open(sys.argv[3], "wb", buffering=0) as LOG:
        globals()[sys.argv[1]]()


main()
