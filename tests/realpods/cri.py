#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A small client of the Kubernetes Container Runtime Interface (runtime.v1), in place of a kubelet.

  cri.py runp NAMESPACE NAME UID [--host-network] [--handler NAME] [--annotation KEY=VALUE]...   prints the sandbox's id
  cri.py run SANDBOX NAME IMAGE COMMAND...                                                       prints the container's id
  cri.py job FILE [--without NAME]... [ARGUMENT...]   runs the container of a Kubernetes object as a kubelet would, prints its log,
                                                      and exits as it did; NAME: a mount or capability to leave out; ARGUMENT:
                                                      in place of the file's args. A ConfigMap that the file has can be mounted
  cri.py stopp|rmp SANDBOX

Standard library and curl (HTTP/2 over the socket) only. Environment: CRI_SOCK, CRI_CGROUP (parent of all pods' control
groups), CRI_STATE (where it remembers the configuration of each sandbox).
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid

import yaml

SOCK = os.environ.get("CRI_SOCK", "/run/containerd/containerd.sock")
STATE = os.environ.get("CRI_STATE", "/run/cri")
CGROUP = os.environ.get("CRI_CGROUP", "/kubepods")
POD, CONTAINER, NODE = 0, 1, 2  # NamespaceMode
EXITED = 2  # ContainerState
# What a kubelet hides from a container, and shows read-only.
MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


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


def first(message, wanted, missing=b""):
    """The first field of that number, bytes or a number."""
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
        elif key & 7 == 0:
            value = read()
            if key >> 3 == wanted:
                return value
        else:
            sys.exit("an answer with a field of another kind")
    return missing


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


def logs_of(namespace, name, uid):
    return "/var/log/pods/%s_%s_%s" % (namespace, name, uid)


def sandbox_config(pod, host_network, namespaces, annotations):
    linux = field(1, "%s/besteffort/pod%s" % (CGROUP, pod[2])) + field(2, field(1, namespaces))
    namespace, name, uid = pod
    return (field(1, field(1, name) + field(2, uid) + field(3, namespace))
            + (b"" if host_network else field(2, name))
            + field(3, logs_of(*pod)) + mapping(6, labels(*pod)) + mapping(7, annotations) + field(8, linux))


def run_sandbox(args):
    namespaces = field(1, NODE if args.host_network else POD) + field(2, CONTAINER)
    config = sandbox_config((args.namespace, args.name, args.uid), args.host_network, namespaces,
                            dict(pair.split("=", 1) for pair in args.annotation))
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


def profile(wanted):
    """The seccomp or AppArmor profile of a security context: type 1 is Unconfined, and nothing the runtime's own."""
    return field(1, 1) if (wanted or {}).get("type") == "Unconfined" else b""


def wrapped(number, value):
    """A message that holds one number: it is there also where the number is 0 (of run_as_user: root)."""
    inner = field(1, value)
    return varint(number << 3 | 2) + varint(len(inner)) + inner


def security_context(context, namespaces, without):
    capabilities = context["capabilities"]
    wanted = [name for name in capabilities["add"] if name not in without]
    return (field(1, b"".join(field(1, name) for name in wanted)
                  + b"".join(field(2, name) for name in capabilities["drop"]))
            + field(3, namespaces) + wrapped(5, context["runAsUser"])
            + field(7, int(context["readOnlyRootFilesystem"]))
            + field(11, int(not context["allowPrivilegeEscalation"]))
            + b"".join(field(13, path) for path in MASKED) + b"".join(field(14, path) for path in READ_ONLY)
            + field(15, profile(context.get("seccompProfile"))) + field(16, profile(context.get("appArmorProfile"))))


def pod_of(documents):
    """The object of a file that makes pods, and the pods' spec."""
    for document in documents:
        spec = document.get("spec", {})
        if document["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if document["kind"] in ("CronJob", "DaemonSet", "Job"):
            return document, spec["template"]["spec"]
    sys.exit("no object that makes pods")


def sources_of(spec, documents):
    """Where each volume is on the node."""
    sources = {}
    for volume in spec["volumes"]:
        if "hostPath" in volume:
            sources[volume["name"]] = volume["hostPath"]["path"]
            continue
        wanted = volume["configMap"]["name"]
        data, = (d["data"] for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == wanted)
        os.makedirs(STATE, exist_ok=True)
        sources[volume["name"]] = tempfile.mkdtemp(dir=STATE)
        for name, text in data.items():
            with open(os.path.join(sources[volume["name"]], name), "w", encoding="utf-8") as file:
                file.write(text)
    return sources


def mounts_of(sources, container, without):
    propagation = {None: 0, "None": 0, "HostToContainer": 1, "Bidirectional": 2}
    return b"".join(
        field(7, field(1, mount["mountPath"]) + field(2, sources[mount["name"]])
              + field(3, int(mount.get("readOnly", False))) + field(5, propagation[mount.get("mountPropagation")]))
        for mount in container["volumeMounts"] if mount["name"] not in without)


def print_log(path):
    """Lines of a container's log are `TIME STREAM P|F TEXT`; P: the line goes on."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            _, stream, tag, text = line.rstrip("\n").split(" ", 3)
            out = sys.stdout if stream == "stdout" else sys.stderr
            out.write(text + ("\n" if tag == "F" else ""))


def run_job(args):
    with open(args.file, encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    job, spec = pod_of(documents)
    container = spec["containers"][0]
    pod = (job["metadata"]["namespace"], job["metadata"]["name"] + "-x7x7x", str(uuid.uuid4()))
    namespaces = (field(1, NODE if spec.get("hostNetwork") else POD)
                  + field(2, NODE if spec.get("hostPID") else CONTAINER))
    config = sandbox_config(pod, spec.get("hostNetwork"), namespaces, {})
    sandbox = first(call("RunPodSandbox", field(1, config)), 1).decode()
    name = container["name"]
    made = (field(1, field(1, name)) + field(2, field(1, container["image"]))
            + b"".join(field(4, word) for word in args.argument or container["args"])
            + mounts_of(sources_of(spec, documents), container, args.without)
            + mapping(9, {**labels(*pod), "io.kubernetes.container.name": name})
            + field(11, name + "_0.log")
            + field(15, field(2, security_context(container["securityContext"], namespaces, args.without))))
    request = field(1, sandbox) + field(2, made) + field(3, config)
    made = first(call("CreateContainer", request), 1)
    call("StartContainer", field(1, made))
    while True:
        status = first(call("ContainerStatus", field(1, made)), 1)
        if first(status, 3, 0) == EXITED:
            break
        time.sleep(0.02)
    print_log(os.path.join(logs_of(*pod), name + "_0.log"))
    call("StopPodSandbox", field(1, sandbox))
    call("RemovePodSandbox", field(1, sandbox))
    sys.exit(first(status, 7, 0))


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
    job = verbs.add_parser("job")
    job.add_argument("--without", action="append", default=[])
    job.add_argument("file")
    job.add_argument("argument", nargs=argparse.REMAINDER)
    for verb in ("stopp", "rmp"):
        verbs.add_parser(verb).add_argument("sandbox")
    args = parser.parse_args()
    if args.verb == "runp":
        run_sandbox(args)
    elif args.verb == "run":
        run_container(args)
    elif args.verb == "job":
        run_job(args)
    else:
        call({"stopp": "StopPodSandbox", "rmp": "RemovePodSandbox"}[args.verb], field(1, args.sandbox))


main()
