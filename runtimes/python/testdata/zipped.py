import gzip
import io
import zipfile
import zlib


def render(props):
    data = props["text"].encode() * 50
    packed = zlib.compress(data, 9)
    d = zlib.decompressobj()
    parts = b"".join(d.decompress(packed[i:i + 7]) for i in range(0, len(packed), 7)) + d.flush()
    buf = io.BytesIO()
    with zipfile.ZipFile(buf, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a/b.txt", data)
        z.writestr("c.txt", "æ")
    with zipfile.ZipFile(buf) as z:
        listing = [(i.filename, i.file_size, i.CRC) for i in z.infolist()]
        inside = z.read("c.txt").decode()
    return [parts == data, gzip.decompress(gzip.compress(data, mtime=0)) == data, len(packed) < len(data), zlib.crc32(data), zlib.adler32(data), listing, inside]
