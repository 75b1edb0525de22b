#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
schema.py SCHEMA < NDJSON: each line validates, and each key that occurs is one that the schema describes.
schema.py --serve FOLDER: the same for many, see serve(); starting Python takes longer than all the rest, in an emulated machine
seconds.
"""

import json
import os
import select
import sys

import jsonschema


class Described:
    """Looks up what a schema says of a key, through references and alternatives."""

    def __init__(self, schema):
        self.root = schema

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.root
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part]
            node = target
        return node

    def alternatives(self, node):
        node = self.resolve(node)
        if not isinstance(node, dict):
            return
        yield node
        for word in ("oneOf", "anyOf", "allOf"):
            for part in node.get(word, []):
                yield from self.alternatives(part)
        for word in ("then", "else"):
            if word in node:
                yield from self.alternatives(node[word])

    def missing(self, value, node, path=""):
        if isinstance(value, dict):
            yield from self.missing_keys(value, node, path)
        elif isinstance(value, list):
            for part in self.alternatives(node):
                if "items" in part:
                    for index, item in enumerate(value):
                        yield from self.missing(item, part["items"], f"{path}[{index}]")
                    return
            if value:
                yield f"{path}: nothing is said of its items"

    def missing_keys(self, value, node, path):
        for key, inner in value.items():
            found = [p for a in self.alternatives(node)
                     for p in [a.get("properties", {}).get(key)] if p is not None]
            if not found:
                yield f"{path}.{key}: not described"
                continue
            described = [p for p in found if self.text(p)]
            if not described:
                yield f"{path}.{key}: without a description"
            # Of several mentions, one has to know what is inside.
            yield from min((list(self.missing(inner, p, f"{path}.{key}")) for p in found), key=len)

    def text(self, node):
        return any(a.get("description") for a in self.alternatives(node)) or "const" in node


class Schema:
    """A schema, ready to hold lines against it."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.validator = jsonschema.Draft202012Validator(self.schema)
        self.described = Described(self.schema)

    def check(self, lines, out):
        """Says to out what is wrong; returns an exit status."""
        count = failed = 0
        for line in lines:
            if not line.strip():
                continue
            count += 1
            value = json.loads(line)
            problems = [f"{e.json_path}: {e.message}" for e in self.validator.iter_errors(value)]
            problems += sorted(set(self.described.missing(value, self.schema)))
            for problem in problems[:20]:
                print(f"line {count}: {problem}", file=out)
            failed += bool(problems)
        if not count:
            print("no line to validate", file=out)
        return 1 if failed or not count else 0


def serve(folder):
    """
    For each schema that is written to the FIFO asked: the lines in the file given are held against it, what is wrong is in
    the file told, and the status in the FIFO answered. Until the folder is gone.
    """
    schemas = {}
    with open(f"{folder}/asked", "r+b", buffering=0) as asked, open(f"{folder}/answered", "r+b", buffering=0) as answered:
        while os.path.isdir(folder):
            if not select.select([asked], [], [], 2)[0]:
                continue
            path = asked.read(4096).decode().strip()
            with open(f"{folder}/told", "w", encoding="utf-8") as told:
                try:
                    if path not in schemas:
                        schemas[path] = Schema(path)
                    with open(f"{folder}/given", encoding="utf-8") as given:
                        status = schemas[path].check(given, told)
                except (OSError, ValueError, jsonschema.SchemaError) as error:
                    print(error, file=told)
                    status = 1
            answered.write(f"{status}\n".encode())


def main():
    if sys.argv[1] == "--serve":
        return serve(sys.argv[2])
    return Schema(sys.argv[1]).check(sys.stdin, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
