#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""schema.py SCHEMA < NDJSON: each line validates, and each key that occurs is one that the schema describes."""

import json
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


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    described = Described(schema)
    count = failed = 0
    for line in sys.stdin:
        if not line.strip():
            continue
        count += 1
        value = json.loads(line)
        problems = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(value)]
        problems += sorted(set(described.missing(value, schema)))
        for problem in problems[:20]:
            print(f"line {count}: {problem}")
        failed += bool(problems)
    if not count:
        print("no line to validate")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
