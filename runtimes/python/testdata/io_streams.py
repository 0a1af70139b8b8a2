import io


def render(props):
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="utf-16-le", newline="\r\n", write_through=True) as text:
        text.write("æ\nb\n")
        data = raw.getvalue()
    reader = io.TextIOWrapper(io.BufferedReader(io.BytesIO("a\r\nb\nc".encode())), newline=None)
    s = io.StringIO("line 1\nline 2\n")
    s.seek(7)
    return [data.hex(), reader.readlines(), s.readline(), io.BytesIO(b"abcdef").getbuffer()[2:4].tobytes().decode()]
