import xml.etree.ElementTree as ET
from xml.dom import minidom
from xml.sax.saxutils import escape, quoteattr


def render(props):
    root = ET.fromstring(props["xml"])
    ns = {"d": "urn:doc"}
    names = [e.get("name") for e in root.findall(".//d:item[@name]", ns)]
    new = ET.SubElement(root, "{urn:doc}item", name="c <&>")
    new.text = "tail"
    try:
        ET.fromstring("<a><b></a>")
    except ET.ParseError as e:
        error = str(e)
    ET.indent(root)
    return "\n".join([str(names), ET.tostring(root, encoding="unicode"), error, minidom.parseString("<r><x a='1'/></r>").documentElement.toxml(), escape("<&>"), quoteattr('a"b')])
