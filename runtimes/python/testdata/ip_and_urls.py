import ipaddress
from urllib.parse import parse_qs, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit


def render(props):
    parts = urlsplit(props["url"])
    net = ipaddress.ip_network("192.168.0.0/29")
    return {"host": parts.hostname, "port": parts.port, "query": parse_qs(parts.query), "quoted": quote("a b/æ&"),
            "back": unquote("%C3%A6%20+"), "encoded": urlencode({"q": ["x y", "é"], "n": 1}, doseq=True),
            "joined": urljoin("http://a.example/b/c?d", "../e"), "made": urlunsplit(parts._replace(fragment="f")),
            "net": [str(h) for h in net.hosts()][:2], "v6": ipaddress.ip_address("2001:db8::1").exploded}
