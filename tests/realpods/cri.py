#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A small client of the Kubernetes Container Runtime Interface (runtime.v1), in place of a kubelet.

  cri.py runp NAMESPACE NAME UID [--host-network] [--handler NAME] [--annotation KEY=VALUE]...   prints the sandbox's id
  cri.py run SANDBOX NAME IMAGE COMMAND...                                                       prints the container's id
  cri.py stopp|rmp SANDBOX

Standard library and curl (HTTP/2 over the socket) only. Environment: CRI_SOCK, CRI_CGROUP (parent of all pods' control
groups), CRI_STATE (where it remembers the configuration of each sandbox).
"""
import argparse
import os
import subprocess
import sys
import tempfile

SOCK = os.environ.get("CRI_SOCK", "/run/containerd/containerd.sock")
STATE = os.environ.get("CRI_STATE", "/run/cri")
CGROUP = os.environ.get("CRI_CGROUP", "/kubepods")
POD, CONTAINER, NODE = 0, 1, 2  # NamespaceMode


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """One protobuf field; a zero or empty one is left out, as the wire format wants it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def mapping(number, pairs):
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in pairs.items())


def first(message, wanted):
    """The first length-delimited field of that number."""
    at = 0

    def read():
        nonlocal at
        shift = value = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = read()
        if key & 7 == 2:
            size = read()
            if key >> 3 == wanted:
                return message[at:at + size]
            at += size
        else:
            read()
    return b""


def call(method, body):
    with tempfile.TemporaryDirectory() as directory:
        request, answer, headers = (os.path.join(directory, name) for name in ("q", "a", "h"))
        with open(request, "wb") as file:
            file.write(b"\0" + len(body).to_bytes(4, "big") + body)
        subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", "--unix-socket", SOCK, "-m", "60", "-X", "POST",
             "-H", "content-type: application/grpc", "-H", "te: trailers", "--data-binary", "@" + request,
             "-D", headers, "-o", answer, "http://localhost/runtime.v1.RuntimeService/" + method],
            check=True)
        with open(headers, encoding="utf-8") as file:
            trailers = dict(line.rstrip("\r\n").split(": ", 1) for line in file if ": " in line)
        if trailers.get("grpc-status", "0") != "0":
            sys.exit("%s: %s: %s" % (method, trailers["grpc-status"], trailers.get("grpc-message")))
        with open(answer, "rb") as file:
            return file.read()[5:]


def labels(namespace, name, uid):
    return {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid}


def run_sandbox(args):
    namespaces = field(1, NODE if args.host_network else POD) + field(2, CONTAINER)
    linux = field(1, "%s/besteffort/pod%s" % (CGROUP, args.uid)) + field(2, field(1, namespaces))
    config = (field(1, field(1, args.name) + field(2, args.uid) + field(3, args.namespace))
              + (b"" if args.host_network else field(2, args.name))
              + field(3, "/var/log/pods/%s_%s_%s" % (args.namespace, args.name, args.uid))
              + mapping(6, labels(args.namespace, args.name, args.uid))
              + mapping(7, dict(pair.split("=", 1) for pair in args.annotation))
              + field(8, linux))
    body = field(1, config) + (field(2, args.handler) if args.handler else b"")
    sandbox = first(call("RunPodSandbox", body), 1).decode()
    os.makedirs(STATE, exist_ok=True)
    with open(os.path.join(STATE, sandbox), "wb") as file:
        file.write(config)
    print(sandbox)


def run_container(args):
    with open(os.path.join(STATE, args.sandbox), "rb") as file:
        config = file.read()
    metadata = first(config, 1)
    name, uid, namespace = (first(metadata, number).decode() for number in (1, 2, 3))
    # A process namespace of its own: the container outlives the sandbox's process, as in a pod of Kubernetes.
    security = field(3, field(2, CONTAINER))
    container = (field(1, field(1, args.name)) + field(2, field(1, args.image))
                 + b"".join(field(3, word) for word in args.command)
                 + mapping(9, {**labels(namespace, name, uid), "io.kubernetes.container.name": args.name})
                 + field(11, args.name + "_0.log") + field(15, field(2, security)))
    body = field(1, args.sandbox) + field(2, container) + field(3, config)
    made = first(call("CreateContainer", body), 1).decode()
    call("StartContainer", field(1, made))
    print(made)


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    runp = verbs.add_parser("runp")
    for name in ("namespace", "name", "uid"):
        runp.add_argument(name)
    runp.add_argument("--host-network", action="store_true")
    runp.add_argument("--handler", default="")
    runp.add_argument("--annotation", action="append", default=[])
    run = verbs.add_parser("run")
    for name in ("sandbox", "name", "image"):
        run.add_argument(name)
    run.add_argument("command", nargs=argparse.REMAINDER)
    for verb in ("stopp", "rmp"):
        verbs.add_parser(verb).add_argument("sandbox")
    args = parser.parse_args()
    if args.verb == "runp":
        run_sandbox(args)
    elif args.verb == "run":
        run_container(args)
    else:
        call({"stopp": "StopPodSandbox", "rmp": "RemovePodSandbox"}[args.verb], field(1, args.sandbox))


main()
