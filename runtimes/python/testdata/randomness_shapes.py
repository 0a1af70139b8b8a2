import os
import random
import secrets
import uuid


def render(props):
    a, b = uuid.uuid4(), uuid.uuid4()
    return [len(secrets.token_hex(8)), len(secrets.token_urlsafe(16)) >= 21, secrets.randbelow(1), a != b, a.version,
            uuid.uuid1().version, len(os.urandom(5)), 0 <= random.random() < 1, random.SystemRandom().randrange(1)]
