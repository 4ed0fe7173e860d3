"""Cuts out of GitHub's own description of its API what Landfast and the simulated GitHub use.

usage: cut.py DESCRIPTION        prints the cut

Operations keep their parameters, bodies and answers with every schema they lead to; words for people are left out.
"""

import json
import sys

REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = {
    "/user": ["get"],
    "/rate_limit": ["get"],
    REPOSITORY: ["get"],
    REPOSITORY + "/issues": ["get", "post"],
    REPOSITORY + "/issues/{issue_number}": ["get", "patch"],
    REPOSITORY + "/issues/{issue_number}/comments": ["get", "post"],
    REPOSITORY + "/labels": ["get", "post"],
    REPOSITORY + "/labels/{name}": ["patch"],
    REPOSITORY + "/pulls": ["get", "post"],
    REPOSITORY + "/pulls/{pull_number}": ["get", "patch"],
    REPOSITORY + "/pulls/{pull_number}/merge": ["put"],
}
# `basic-error` is what a refusal looks like that every operation may give, and no operation lists.
ALSO = ["#/components/schemas/basic-error"]
WORDS = {"description", "example", "examples", "externalDocs", "summary", "tags", "title", "x-github"}
# Below these, keys are names that somebody chose, and not words of OpenAPI.
NAMES = {"headers", "patternProperties", "properties", "responses"}


def bare(value, are_names=False):
    if isinstance(value, list):
        return [bare(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: inner for key, inner in value.items() if are_names or key not in WORDS}
    return {key: bare(inner, not are_names and key in NAMES) for key, inner in kept.items()}


def target(description, reference):
    value = description
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    return value


def follow(description, value, found):
    if isinstance(value, list):
        for entry in value:
            follow(description, entry, found)
    elif isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference not in found:
            found[reference] = bare(target(description, reference))
            follow(description, found[reference], found)
        for inner in value.values():
            follow(description, inner, found)


def cut(description):
    found = {}
    paths = {path: {method: bare(description["paths"][path][method]) for method in methods}
             for path, methods in OPERATIONS.items()}
    follow(description, [paths, [{"$ref": reference} for reference in ALSO]], found)
    components = {}
    for reference, value in found.items():
        _, _, kind, name = reference.split("/")
        components.setdefault(kind, {})[name] = value
    info = {key: description["info"][key] for key in ("title", "version", "license")}
    return {"openapi": description["openapi"], "info": info, "paths": paths, "components": components}


with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps(cut(json.load(file)), indent=1, sort_keys=True))
