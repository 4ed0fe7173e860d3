"""Unpacks npm packages without npm. usage: npm.py FOLDER NAME@VERSION=INTEGRITY[#FILE]...

Prints nothing. Each package, or that one file of it, lands in FOLDER/node_modules/NAME; one that is there in that version is left alone. What
does not have the digest that is pinned here is not unpacked. The registry is npm's own, or the one npm is told of.
"""

import base64
import hashlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import urllib.request

PUBLIC = "https://registry.npmjs.org"


def registry():
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    try:
        told = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        told = ""
    return told.rstrip("/") if told.startswith("http") else PUBLIC


def tarball(name, version):
    base = name.split("/")[-1]
    with urllib.request.urlopen(f"{registry()}/{name}/-/{base}-{version}.tgz", timeout=120) as answer:
        return answer.read()


def unpack(packed, folder, only):
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive.getmembers():
            # Everything is in one folder, whose name is of no account.
            path = pathlib.PurePosixPath(member.name).parts[1:]
            if not member.isfile() or not path or ".." in path or only not in (None, "/".join(path)):
                continue
            to = folder.joinpath(*path)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(archive.extractfile(member).read())


def main():
    folder = pathlib.Path(sys.argv[1])
    for wish in sys.argv[2:]:
        name, version, integrity, only = re.fullmatch(r"(@?[^@]+)@([^=]+)=([^#]+)(?:#(.+))?", wish).groups()
        home = folder / "node_modules" / name
        mark = home / ".unpacked"
        if mark.exists() and mark.read_text() == wish:
            continue
        packed = tarball(name, version)
        kind, digest = integrity.split("-", 1)
        if base64.b64encode(hashlib.new(kind, packed).digest()).decode() != digest:
            sys.exit(f"{name}@{version} is not what it was")
        unpack(packed, home, only)
        mark.write_text(wish)


main()
