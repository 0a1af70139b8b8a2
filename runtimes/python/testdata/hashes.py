import hashlib
import hmac


def render(props):
    data = props["text"].encode()
    names = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_512", "blake2b", "blake2s"]
    return {n: hashlib.new(n, data).hexdigest() for n in names} | {
        "shake": hashlib.shake_128(data).hexdigest(16), "keyed": hashlib.blake2b(data, key=b"k", digest_size=8).hexdigest(),
        "hmac": hmac.new(b"key", data, "sha256").hexdigest(), "same": hmac.compare_digest("a", "a"),
        "pbkdf2": hashlib.pbkdf2_hmac("sha256", data, b"salt", 10).hex(),
        "long": hashlib.pbkdf2_hmac("sha1", data, b"salt", 3, 50).hex()}
