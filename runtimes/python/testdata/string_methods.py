import string


def render(props):
    s = props["s"]
    return {"case": [s.upper(), s.title(), s.casefold(), s.swapcase(), "ß".upper(), "İ".lower(), "ǆ".title()], "pad": [s.center(20, "*"), "42".zfill(5), "-4".zfill(4)],
            "find": [s.find("ø"), s.rpartition(" ")[2], s.count("b"), s.startswith(("x", "B"))], "strip": "xxaxx".strip("x") + "prefix-x".removeprefix("prefix-"),
            "translate": s.translate(str.maketrans({"å": "aa", "ø": "oe"})), "split": "a,b,,c".split(",", 2), "lines": "a\r\nb\vc\u2028d".splitlines(),
            "format": "{0!r:>8}|{name:^10}|{n:+08.2f}|{n:e}|{i:#b}|{i:,}".format("x", name="mid", n=3.14159, i=123456), "percent": "%-5s|%05.1f|%x|%%|%r" % ("ab", 2.25, 255, "q"),
            "template": string.Template("$who owes $$${amount}").substitute(who="Al", amount=5), "is": ["²".isdigit(), "²".isdecimal(), "Ⅷ".isnumeric(), "a1".isalnum(), "ﬁ".isidentifier()],
            "encode": ["æ€".encode("utf-8").hex(), "æ".encode("latin-1").hex(), "aé".encode("ascii", "xmlcharrefreplace").decode(), b"\xff".decode("utf-8", "replace"), "é".encode("cp1252").hex()],
            "slices": [s[::-1], s[-3:], s[::2]], "f": f"{s=!s:.4} {len(s):>{4}} {'nested ' + f'{1 + 1}'} {3.0!r}"}
