#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""deploy.py CHECK DIR [ARGUMENT...]: what the files of doc/deploy say, without a cluster: among themselves, and about flowgen."""

import glob
import hashlib
import os
import re
import subprocess
import sys
import tarfile

import yaml

MAKES_PODS = ("CronJob", "DaemonSet", "Job", "Pod")
# What a container of flowgen may do, and what it sees; all else is a matter of its kind.
POD_KEYS = ("hostPID", "hostNetwork", "automountServiceAccountToken", "tolerations")
CONTAINER_KEYS = ("name", "image", "imagePullPolicy", "securityContext")


def documents(directory):
    """(file, document) of all files; a template's words in dollars are words."""
    for name in sorted(glob.glob(directory + "/*.yaml")):
        with open(name, encoding="utf-8") as file:
            for document in yaml.safe_load_all(file):
                yield os.path.basename(name), document


def pod_spec(document):
    spec = document["spec"]
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec if document["kind"] == "Pod" else spec["template"]["spec"]


def said_of(document):
    """The part of a pod that is the same wherever flowgen runs."""
    spec = pod_spec(document)
    container, = spec["containers"]
    same = {key: spec.get(key) for key in POD_KEYS}
    same.update({key: container[key] for key in CONTAINER_KEYS})
    if str(same["image"]).startswith("$"):
        same["image"] = "localhost/flowgen:latest"
    same["securityContext"] = dict(container["securityContext"], capabilities={
        key: sorted(names) for key, names in container["securityContext"]["capabilities"].items()})
    hosts = {volume["name"]: volume["hostPath"] for volume in spec["volumes"] if "hostPath" in volume}
    same["mounts"] = sorted((hosts[m["name"]]["path"], hosts[m["name"]]["type"], m["mountPath"], m["readOnly"], m.get("mountPropagation"))
                            for m in container["volumeMounts"] if m["name"] in hosts)
    assert {m["name"] for m in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    return same


def same(directory):
    """Every pod may do and sees what the Job's does, which is what README.md says."""
    made = [(name, document) for name, document in documents(directory) if document["kind"] in MAKES_PODS]
    assert {document["kind"] for _, document in made} >= {"CronJob", "DaemonSet", "Job"}, made
    job, = (said_of(document) for name, document in made if name == "job.yaml")
    for name, document in made:
        assert said_of(document) == job, f"{name} differs from job.yaml:\n{said_of(document)}\n{job}"
    with open(directory + "/README.md", encoding="utf-8") as file:
        text = file.read()
    told = re.findall(r"^\| `(/[^`]*)` \|", text, re.M)
    assert sorted(told) == [path for path, *_ in job["mounts"]], told
    assert all(mount[2] == "/host" + mount[0] and mount[3] for mount in job["mounts"])
    sentence = re.search(r"four capabilities: ([^.]*)\.", text)[1]
    assert sorted(re.findall(r"`([A-Z_]+)`", sentence)) == job["securityContext"]["capabilities"]["add"], sentence
    for name in (os.path.basename(path) for path in glob.glob(directory + "/*")):
        assert name == "README.md" or f"`{name}`" in text, f"README.md does not name {name}"


def words(directory, flowgen):
    """The words of each container are a verb of flowgen and options that it has."""
    table = {}
    for line in subprocess.check_output([flowgen, "--dump-options"], text=True).splitlines():
        verb, _, name, *_ = line.split("\t")
        table.setdefault(verb, set()).add("--" + name)
    for name, document in documents(directory):
        if document["kind"] not in MAKES_PODS:
            continue
        verb, *args = pod_spec(document)["containers"][0]["args"]
        wrong = [word for word in args if word.startswith("--") and word.split("=")[0] not in table[verb]]
        assert not wrong, f"{name}: flowgen {verb} has no {wrong}"


def references(directory):
    """What one object says of another is so."""
    everything = [document for _, document in documents(directory)]
    by_kind = {}
    for document in everything:
        by_kind.setdefault(document["kind"], {})[document["metadata"]["name"]] = document
    daemons, = by_kind["DaemonSet"].values()
    labels = daemons["spec"]["template"]["metadata"]["labels"]
    assert daemons["spec"]["selector"]["matchLabels"].items() <= labels.items()
    # By these kubectl flowgen finds them, and does not take what it has made itself for them.
    wanted = {"app.kubernetes.io/name": "flowgen", "app.kubernetes.io/component": "agent"}
    assert wanted.items() <= labels.items() and wanted.items() <= daemons["metadata"]["labels"].items()
    assert all(not daemons["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items() for pod in by_kind.get("Pod", {}).values())
    for binding, role in (("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")):
        for document in by_kind[binding].values():
            other = by_kind[role][document["roleRef"]["name"]]
            assert document["roleRef"]["kind"] == role and document["subjects"]
            assert document["metadata"].get("namespace") == other["metadata"].get("namespace")
    role, = by_kind["Role"].values()
    assert role["metadata"]["namespace"] == daemons["metadata"]["namespace"]
    rules = [rule for kind in ("Role", "ClusterRole") for document in by_kind[kind].values() for rule in document["rules"]]
    assert not any("*" in part for rule in rules for part in rule.values())
    # Outside of the agents' namespace nothing can be changed.
    assert all(set(rule["verbs"]) <= {"get", "list"} for document in by_kind["ClusterRole"].values() for rule in document["rules"])
    timer, = by_kind["CronJob"].values()
    for volume in pod_spec(timer)["volumes"]:
        if "configMap" in volume:
            config = by_kind["ConfigMap"][volume["configMap"]["name"]]
            assert config["metadata"]["namespace"] == timer["metadata"]["namespace"]
            mount, = (m["mountPath"] for m in pod_spec(timer)["containers"][0]["volumeMounts"] if m["name"] == volume["name"])
            assert pod_spec(timer)["containers"][0]["args"][-1] in [f"{mount}/{name}" for name in config["data"]]


def rights(directory, source):
    """A user may list what kubectl flowgen asks for by name, and nothing else."""
    with open(source, encoding="utf-8") as file:
        asked = re.findall(r'FG_NEED_\w+ \? ",([a-z]+)((?:\.[a-z0-9.]+)?)"', file.read())
    assert len(asked) >= 5, asked
    role, = (document for _, document in documents(directory) if document["kind"] == "ClusterRole")
    given = [(resource, "." + group if group else "") for rule in role["rules"] for group in rule["apiGroups"] for resource in rule["resources"]]
    assert sorted(given) == sorted(asked), f"asked for {asked}, given {given}"


def scenario(directory):
    """Prints the CronJob's scenario."""
    config, = (document for _, document in documents(directory) if document["kind"] == "ConfigMap")
    print(*config["data"].values(), sep="", end="")


def krew(directory, built):
    """The manifest that make krew has made, and its archive."""
    with open(built + "/flowgen.yaml", encoding="utf-8") as file:
        plugin = yaml.safe_load(file)
    assert plugin["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2" and plugin["kind"] == "Plugin"
    assert re.fullmatch(r"v\d+\.\d+\.\d+", plugin["spec"]["version"])
    # What an index of krew asks of a description.
    assert len(plugin["spec"]["shortDescription"]) <= 50 and not plugin["spec"]["shortDescription"].endswith(".")
    platform, = plugin["spec"]["platforms"]
    archive = built + "/" + platform["uri"].rsplit("/", 1)[1]
    with open(archive, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == platform["sha256"]
    with tarfile.open(archive) as tar:
        names = {member.name: member for member in tar}
    assert set(names) == {entry["from"] for entry in platform["files"]} >= {platform["bin"], "LICENSE"}
    assert names[platform["bin"]].mode & 0o111 == 0o111
    assert "$" not in str(plugin), plugin
    assert os.path.exists(directory + "/krew.yaml")


globals()[sys.argv[1]](*sys.argv[2:])
