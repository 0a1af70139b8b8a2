import base64
import binascii


def render(props):
    data = props["text"].encode()
    return [base64.b64encode(data).decode(), base64.urlsafe_b64encode(bytes(range(250, 256))).decode(),
            base64.b32encode(data).decode(), base64.b85encode(data).decode(), binascii.hexlify(data, "-").decode(),
            binascii.crc32(data), base64.b64decode(base64.b64encode(data)).decode()]
