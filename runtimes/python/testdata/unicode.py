import unicodedata


def render(props):
    return {"name": [unicodedata.name(c) for c in "æ€😀"], "lookup": unicodedata.lookup("GREEK SMALL LETTER ALPHA"),
            "nfd": [hex(ord(c)) for c in unicodedata.normalize("NFD", "é한")], "nfkc": unicodedata.normalize("NFKC", "ﬁ①Ａ"),
            "cat": [unicodedata.category(c) for c in "aA1 ,€\n"], "num": unicodedata.numeric("½"), "width": [unicodedata.east_asian_width(c) for c in "aＡ漢"],
            "len": [len(s) for s in ("😀", "👨‍👩‍👧", "é")], "version": unicodedata.unidata_version, "idna": "bücher.example".encode("idna").decode(), "esc": "\N{SNOWMAN}\u00e5".encode("unicode_escape").decode()}
