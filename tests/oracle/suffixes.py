"""What was registered: the rules of publicsuffix.org, plainly.

The list is Debian's (package publicsuffix): https://publicsuffix.org/list/ says how it is read.
"""
import pathlib

LIST = pathlib.Path("/usr/share/publicsuffix/public_suffix_list.dat")


def a_label(label):
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def read(path=LIST):
    """Rule -> True, or False for one that begins with '!'."""
    rules = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("//"):
            rule = line.split()[0].lower()
            name = rule.lstrip("!")
            rules[".".join(a_label(label) for label in name.split("."))] = not rule.startswith("!")
    return rules


def is_name(name):
    """Letters, digits, '-', '_' and points between; the last label is no number."""
    labels = name.split(".")
    fine = all(1 <= len(label) <= 63 and label.isascii() and label.replace("-", "").replace("_", "a").isalnum()
               or label.replace("-", "") == "" and 1 <= len(label) <= 63 for label in labels)
    return fine and len(name) <= 253 and not labels[-1].isdigit()


def registrable(name, rules):
    """The registrable domain in lower case, or None."""
    name = name[:-1] if name.endswith(".") else name
    if not is_name(name):
        return None
    labels = name.lower().split(".")
    for i in range(len(labels)):
        exact, star = ".".join(labels[i:]), ".".join(["*"] + labels[i + 1:])
        if exact in rules and not rules[exact]:
            return exact                          # an exception: the suffix is one label shorter
        if exact in rules or star in rules and i + 1 < len(labels):
            return ".".join(labels[i - 1:]) if i > 0 else None
    return None                                   # no registry has this suffix
