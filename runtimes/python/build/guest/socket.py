"""A socket module without sockets, so that modules which only mention them can
be imported. Whoever wants to use the network asks the host: see module spore."""

import errno

AF_UNSPEC, AF_INET, AF_INET6 = 0, 1, 2
SOCK_STREAM, SOCK_DGRAM = 6, 5
SOL_SOCKET, SO_REUSEADDR, IPPROTO_TCP, TCP_NODELAY = 1, 2, 6, 1
AI_PASSIVE = 1
SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2
has_ipv6 = False
_GLOBAL_DEFAULT_TIMEOUT = object()

error = OSError
timeout = TimeoutError


class herror(OSError):
    pass


class gaierror(OSError):
    pass


def _none(*args, **kwargs):
    raise OSError(errno.ENOTSUP, "there are no sockets here")


class socket:
    def __init__(self, *args, **kwargs):
        _none()


create_connection = create_server = socketpair = getaddrinfo = gethostbyname = _none
getfqdn = _none


def gethostname():
    return "localhost"


def getdefaulttimeout():
    return None


def setdefaulttimeout(timeout):
    pass
