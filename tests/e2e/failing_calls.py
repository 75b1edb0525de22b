"""Lets each system call and each allocation of a verb fail, one in a run, and looks at what comes of it.

failing_calls.py FLOWGEN FAULTY NOMEM DIRECTORY [--seconds N] [--seed N] [--verb NAME] [--at KIND:N]

It is started in a node with the pods web and dst (tests/e2e/failing_calls.bats). Of every run it expects: an exit
status that flowgen(8) lists, and no signal; one line on standard error where there is no answer; in the answer nothing
that is otherwise without the failure, but for what is not known; no device, process or open file left. Without
--seconds all calls are tried; with it as many as there is time for, chosen by the seed. Prints TAP.
"""
import argparse
import ctypes
import json
import os
import random
import re
import subprocess
import sys
import time

TIMEOUT = 60
MOST = 150  # of one kind of call in a run
SCENARIO = """name: faults
probes:
- {name: through, from: "netns:web", to: "10.9.0.9:53", proto: udp, expect: allow}
- {name: kept, from: "netns:web", to: "10.9.0.9:54", proto: udp, expect: deny}
"""


class Wrong(Exception):
    pass


def lines_of(text, status):
    """The JSON lines; a last one that is cut off is allowed only if the run failed."""
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            if status != 5:
                raise Wrong("a line that is not JSON: " + line[:200])
    return found


def same_or(value, golden, others, what):
    if value != golden and value not in others:
        raise Wrong(f"{what} is {value!r}, not {golden!r}")


def judge_result(line, golden):
    same_or(line["policy"]["verdict"], golden["policy"]["verdict"], ["unknown"], "the verdict")
    same_or(line["outcome"], golden["outcome"], ["inconclusive"], "the outcome")
    denier = (line["policy"]["denied_by"] or {}).get("name")
    same_or(denier, (golden["policy"]["denied_by"] or {}).get("name"), [None], "the denier")


def judge_results(now, golden, status):
    results = [r for r in now if r["schema"].startswith("flowgen.result/")]
    first = [r for r in golden if r["schema"].startswith("flowgen.result/")]
    for result in results:
        judge_result(result, next(g for g in first if g["packet"]["dport"] == result["packet"]["dport"]))
    if status == 0 and len(results) != len(first):
        raise Wrong(f"{len(results)} results, not {len(first)}, with exit status 0")
    if status == 0 and [r["outcome"] for r in results] != [r["outcome"] for r in first]:
        raise Wrong("exit status 0 without the answer")
    if status == 1:
        raise Wrong("exit status 1, though all is as expected")


def judge_pods(now, golden, status):
    known = {pod["netns"]["inode"]: pod for pod in golden}
    for pod in now:
        same = known.get(pod["netns"]["inode"])
        if same is None:
            raise Wrong("a pod that was not there: " + json.dumps(pod)[:200])
        if pod.get("refused"):
            continue
        for key in ("device", "programs"):  # which method is a choice, not an answer
            same_or(pod.get(key), same.get(key), [], f"{key} of a pod")
    if status == 0 and len(now) != len(golden):
        raise Wrong(f"{len(now)} pods, not {len(golden)}, with exit status 0")


def judge_check(now, golden, status):
    for line in now:
        for part in ("features", "privileges", "methods"):
            for name, golden_one in golden[0][part].items():
                one = line[part][name]
                if one["works"] and not golden_one["works"]:
                    raise Wrong(f"{name} works, which it does not")
                if not one["works"] and not (one.get("why") or one.get("missing")):
                    raise Wrong(f"{name}: no reason")
    if status in (0, 3) and not now:
        raise Wrong("nothing was said")


def judge_catch(now, golden, status):
    for line in now:
        for key in ("pod", "device"):
            same_or(line.get(key), golden[0].get(key), [], key)
    if status == 0 and not now:
        raise Wrong("exit status 0 without a packet")


class Verb:
    def __init__(self, name, arguments, judge):
        self.name, self.arguments, self.judge = name, arguments, judge


class Harness:
    def __init__(self, options):
        self.options = options
        self.counts = os.path.join(options.directory, "counts")
        self.log = os.path.join(options.directory, "calls")
        scenario = os.path.join(options.directory, "faults.yaml")
        with open(scenario, "w") as f:
            f.write(SCENARIO)
        self.verbs = [
            Verb("inject", ["inject", "--pod", "netns:web", "--dst", "10.9.0.9:53", "--proto", "udp"], judge_results),
            Verb("run", ["run", "--output", "json", scenario], judge_results),
            Verb("pods", ["pods", "--output", "json"], judge_pods),
            Verb("check", ["check", "--output", "json"], judge_check),
            Verb("catch", ["catch", "--pod", "netns:dst", "--proto", "udp", "--pass", "--count", "1", "--duration", "2s"], judge_catch),
        ]
        # What a run leaves behind becomes our child.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)

    def devices(self):
        with open("/proc/self/net/dev") as f:
            return sorted(line.split(":")[0].strip() for line in f if ":" in line)

    def start(self, verb, kind, nth):
        environment = dict(os.environ)
        command = [self.options.flowgen] + verb.arguments
        if kind == "call":
            command = [self.options.faulty, "--nth", str(nth), "--shift", str(self.options.seed), "--counts", self.counts, "--log", self.log] + command
        else:
            environment.update(LD_PRELOAD=self.options.nomem, NOMEM_AT=str(nth), NOMEM_COUNT=self.counts)
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT)
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")

    def judge(self, verb, status, out, err):
        if status < 0 or status > 5:
            raise Wrong(f"exit status {status}")
        complaints = [line for line in err.splitlines() if not re.match(r"flowgen: (warning: |catching on |\d+ packets? )", line)]
        for line in complaints:
            if not line.startswith("flowgen: "):
                raise Wrong("on standard error: " + line)
        if len(complaints) > 1 or (status in (2, 3, 5) and not complaints and not (verb.name in ("check", "run") and out)):
            raise Wrong(f"{len(complaints)} lines on standard error")
        verb.judge(lines_of(out, status), verb.golden, status)
        # The kernel takes a namespace apart after the process has ended.
        end = time.monotonic() + 10
        while self.devices() != self.before and time.monotonic() < end:
            time.sleep(.01)
        if self.devices() != self.before:
            raise Wrong("devices are left: " + " ".join(self.devices()))
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            raise Wrong(f"a process is left: {pid}")
        except ChildProcessError:
            pass

    def try_one(self, verb, kind, nth):
        try:
            status, out, err = self.start(verb, kind, nth)
        except subprocess.TimeoutExpired:
            raise Wrong("it hangs")
        try:
            self.judge(verb, status, out, err)
        except Wrong as wrong:
            raise Wrong(f"{wrong} (exit status {status}; standard error: {err.strip()[:300]!r}; output: {out[:200]!r})")

    def failed_call(self):
        with open(self.counts) as f:
            return " ".join(line.strip() for line in f if line.startswith("failed"))

    def worth_trying(self, kind, n):
        """All of them; of a call that is made very often, as in a loop over all BTF objects, some."""
        if kind == "allocation":
            return range(1, n + 1)
        with open(self.log) as f:
            calls = f.read().split()
        often = {call: -(-calls.count(call) // MOST) for call in set(calls)}
        so_far = dict.fromkeys(often, 0)
        chosen = []
        for i, call in enumerate(calls, 1):
            if so_far[call] % often[call] == self.options.seed % often[call]:
                chosen.append(i)
            so_far[call] += 1
        return chosen

    def count(self, verb, kind):
        status, out, err = self.start(verb, kind, 2**63 if kind == "call" else 0)
        if status != 0:
            raise Wrong(f"without a failure: exit status {status}: {err}")
        verb.golden = lines_of(out, status)
        with open(self.counts) as f:
            return int(f.readline().split()[-1])

    def plan(self, verbs):
        jobs = []
        for verb in verbs:
            for kind in ("call", "allocation"):
                n = self.count(verb, kind)
                chosen = self.worth_trying(kind, n)
                print(f"# {verb.name}: {n} {kind}s, {len(chosen)} to try", flush=True)
                jobs += [(verb, kind, i) for i in chosen]
        if self.options.seconds:
            random.Random(self.options.seed).shuffle(jobs)
        return jobs

    def run(self):
        o = self.options
        verbs = [v for v in self.verbs if not o.verb or v.name in o.verb]
        self.before = self.devices()
        end = time.monotonic() + o.seconds if o.seconds else None
        jobs, failures, tried = self.plan(verbs), 0, 0
        if o.at:
            kind, nth = o.at.split(":")
            jobs = [(v, kind, int(nth)) for v in verbs]
        for verb, kind, nth in jobs:
            if end and time.monotonic() > end:
                break
            tried += 1
            try:
                self.try_one(verb, kind, nth)
            except Wrong as wrong:
                failures += 1
                what = self.failed_call() if kind == "call" and os.path.exists(self.counts) else ""
                print(f"# {verb.name}, --verb {verb.name} --at {kind}:{nth} --seed {o.seed}: {what}: {wrong}", flush=True)
        print(f"# {tried} of {len(jobs)} failures tried, seed {o.seed}")
        return failures or not tried


def main():
    parser = argparse.ArgumentParser()
    for name in ("flowgen", "faulty", "nomem", "directory"):
        parser.add_argument(name)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verb", action="append")
    parser.add_argument("--at")
    sys.exit(1 if Harness(parser.parse_args()).run() else 0)


main()
