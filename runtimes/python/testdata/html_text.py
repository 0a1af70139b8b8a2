import html
from html.parser import HTMLParser


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.out = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.out.append(dict(attrs).get("href"))

    def handle_data(self, data):
        if data.strip():
            self.out.append(data.strip())


def render(props):
    p = Links()
    p.feed(props["page"])
    return [p.out, html.escape('<a b="c">\'&'), html.unescape("&lt;&eacute;&#x1F600;&amp;amp;")]
