"""Packs the time zone database.

    python gen_tzdata.py OUT ZONEINFO

ZONEINFO is a folder of TZif files (RFC 9636). Of each file only the 64-bit part
is kept, and of that only the transitions which its last line, the rule for all
later years, does not give anyway. Files that become equal are stored once. OUT
gets zones.bin and zones.c.
"""

import io
import os
import struct
import sys
from zoneinfo import ZoneInfo
from zoneinfo import _zoneinfo      # the one in Python, which shows its rules

SKIP = {"posix", "right", "posixrules", "localtime", "Factory"}


def header(data, at):
    magic, version, *counts = struct.unpack_from(">4sc15x6l", data, at)
    assert magic == b"TZif" and version >= b"2", "not a TZif file of version 2 or later"
    return version, counts      # isutcnt isstdcnt leapcnt timecnt typecnt charcnt


def parse(data):
    version, (isut, isstd, leap, times, types, chars) = header(data, 0)
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    version, (isut, isstd, leap, times, types, chars) = header(data, at)
    assert leap == 0
    at += 44
    when = list(struct.unpack_from(f">{times}q", data, at))
    at += 8 * times
    index = list(data[at:at + times])
    at += times
    rest = data[at:at + 6 * types + chars]      # types and abbreviations
    at += 6 * types + chars + isstd + isut
    assert data[at:at + 1] == b"\n" and data.endswith(b"\n")
    return version, when, index, rest, types, chars, data[at:]


def build(version, when, index, rest, types, chars, footer):
    empty = struct.pack(">4sc15x6l", b"TZif", version, 0, 0, 0, 0, 1, 1) + bytes(7)
    return (empty + struct.pack(">4sc15x6l", b"TZif", version, 0, 0, 0, len(when), types, chars)
            + struct.pack(f">{len(when)}q", *when) + bytes(index) + rest + footer)


def rule_transitions(footer, first, last):
    """Times and offsets of the transitions that the footer's rule makes."""
    rule = _zoneinfo._parse_tz_str(footer.decode().strip())
    if not isinstance(rule, _zoneinfo._TZStr):
        return None
    result = {}
    for year in range(first, last + 1):
        start, end = rule.transitions(year)
        result[int(start - rule.std.utcoff.total_seconds())] = rule.dst
        result[int(end - rule.dst.utcoff.total_seconds())] = rule.std
    return result


def type_of(rest, types, i):
    offset, isdst, abbr = struct.unpack_from(">lbB", rest, 6 * i)
    name = rest[6 * types + abbr:].partition(b"\0")[0].decode()
    return offset, name


def slim(data):
    version, when, index, rest, types, chars, footer = parse(data)
    rules = rule_transitions(footer, 1970, 2040) if footer.strip() else None
    keep = len(when)
    # A transition may go if it and the one before it are neighbours in the rule, so
    # that the rule holds from the last one that is kept.
    while rules and keep >= 2:
        is_rule = []
        for k in (keep - 1, keep - 2):
            r = rules.get(when[k])
            offset, name = type_of(rest, types, index[k])
            is_rule.append(r is not None and r.tzname == name
                           and r.utcoff.total_seconds() == offset)
        if not all(is_rule) or any(when[keep - 2] < t < when[keep - 1] for t in rules):
            break
        keep -= 1
    return build(version, when[:keep], index[:keep], rest, types, chars, footer)


def check(name, old, new):
    """Both must say the same at every hour around every change, and far away."""
    import datetime
    utc = datetime.timezone.utc
    a = ZoneInfo.from_file(io.BytesIO(old))
    b = ZoneInfo.from_file(io.BytesIO(new))
    probes = {t + d for t in parse(old)[1] for d in (-3601, -1, 0, 1, 3600)
              if -60_000_000_000 < t < 200_000_000_000}
    probes.update(range(-2_000_000_000, 5_000_000_000, 40_000_003))
    for t in probes:
        u = datetime.datetime(1970, 1, 1, tzinfo=utc) + datetime.timedelta(seconds=t)
        x, y = u.astimezone(a), u.astimezone(b)
        if (x.utcoffset(), x.tzname()) != (y.utcoffset(), y.tzname()):
            sys.exit(f"{name}: differs at {u}: {x.utcoffset()} {x.tzname()}, "
                     f"{y.utcoffset()} {y.tzname()}")


def zones(root):
    for folder, dirs, files in os.walk(root):
        dirs[:] = sorted(d for d in dirs if d not in SKIP)
        for f in sorted(files):
            path = os.path.join(folder, f)
            with open(path, "rb") as file:
                if f not in SKIP and file.read(4) == b"TZif":
                    yield os.path.relpath(path, root).replace(os.sep, "/"), path


def main(out, root):
    blob, places, rows = bytearray(), {}, []
    for name, path in sorted(zones(root)):
        with open(path, "rb") as f:
            old = f.read()
        new = slim(old)
        if new not in places:
            check(name, old, new)
            places[new] = len(blob)
            blob += new
        rows.append(f'    {{"{name}", {places[new]}, {len(new)}}},')
    with open(os.path.join(out, "zones.bin"), "wb") as f:
        f.write(blob)
    with open(os.path.join(out, "zones.c"), "w", encoding="utf-8") as f:
        f.write("#include <stdint.h>\n"
                "const unsigned char spore_zone_data[] = {\n"
                '#embed "zones.bin"\n'
                "};\n"
                "typedef struct { const char *name; uint32_t offset, len; } zone;\n"
                "const zone spore_zones[] = {\n" + "\n".join(rows) + "\n};\n"
                f"const unsigned spore_zone_count = {len(rows)};\n")
    print(f"{len(rows)} zones, {len(places)} different, {len(blob)} bytes")


main(*sys.argv[1:])
