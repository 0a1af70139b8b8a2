import re

LOG = re.compile(r"""
    (?P<ip>\d+(?:\.\d+){3}) \s - \s
    \[(?P<when>[^\]]+)\] \s
    "(?P<method>GET|POST)\s(?P<path>\S+)"
""", re.VERBOSE)


def render(props):
    m = LOG.match(props["line"])
    return {"groups": m.groupdict(), "span": m.span("path"),
            "camel": re.sub(r"_(\w)", lambda m: m[1].upper(), "snake_case_name"), "split": re.split(r"\s*([,;])\s*", "a , b;c"),
            "look": re.findall(r"(?<=\$)\d+(?!\d*%)", "$12 $30% 44"), "unicode": re.findall(r"\b\w+\b", "blåbær и ягоды"),
            "lazy": re.search(r"<(.+?)>", "<a><b>")[1], "back": bool(re.fullmatch(r"(\w)(\w)\2\1", "abba")), "poss": re.match(r"a++b", "aaab") is not None,
            "flags": re.findall(r"(?im)^x.*$", "Xa\nb\nxc"), "escape": re.escape("a.b*c")}
