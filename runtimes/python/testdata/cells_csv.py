import csv
import io


def render(props):
    rows = list(csv.DictReader(io.StringIO(props["csv"])))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda r: -float(r["price"])))
    return out.getvalue() + csv.Sniffer().sniff("a;b;c\n1;2;3\n").delimiter
