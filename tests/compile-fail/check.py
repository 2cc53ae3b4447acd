"""Code that would send an unredacted report does not compile.

usage: check.py COMPILE-COMMANDS FOLDER

Compiles accepted.c and every refused_*.c of the folder with the flags of src/main.c. Each refused
file names in its first line, behind "refused:", a word that the compiler's complaint must hold, so
that a file that fails for another reason does not count.
"""
import json
import pathlib
import shlex
import subprocess
import sys


def flags(commands_path):
    for entry in json.loads(commands_path.read_text()):
        if entry["file"].endswith("src/main.c"):
            words = shlex.split(entry["command"])
            break
    else:
        sys.exit("check.py: src/main.c is not in " + str(commands_path))
    for option in ("-o", "-MF", "-MQ", "-c"):
        at = words.index(option)
        del words[at : at + 2]
    return [word for word in words if word not in ("-MD", "-Werror")], entry["directory"]


def main(commands, folder):
    command, directory = flags(pathlib.Path(commands))
    failures = 0
    sources = sorted(pathlib.Path(folder).glob("*.c"))
    for source in sources:
        run = subprocess.run(command + ["-fsyntax-only", str(source)], cwd=directory, text=True,
                             stderr=subprocess.PIPE, check=False)
        first = source.read_text().splitlines()[0]
        if source.name.startswith("refused_"):
            word = first.split("refused:")[1].removesuffix("*/").strip()
            good = run.returncode != 0 and word in run.stderr
        else:
            good = run.returncode == 0
        print("ok" if good else "not ok", source.name)
        if not good:
            failures += 1
            print(run.stderr or "  it compiled")
    return 1 if failures or len(sources) < 2 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
