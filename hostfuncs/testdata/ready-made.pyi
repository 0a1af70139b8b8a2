from typing import Any, Literal, NotRequired, TypedDict, overload

class HostError(Exception):
    code: str
    message: str
    call: int

async def emit(value: Any, /) -> None:
    """Gives one part of a streamed result, and waits until more is wanted."""
def emit_sync(value: Any, /) -> None: ...
def display(*objects: Any, raw: bool = False) -> None:
    """Shows values in a cell, in the richest forms they have."""

ClockNowArgument = TypedDict("ClockNowArgument", {
    "zone": NotRequired[str],  # such as Europe/Oslo; the host decides which there are
})

ClockNowResult = TypedDict("ClockNowResult", {
    "unix_ms": int,  # milliseconds since 1970-01-01T00:00:00Z
    "time": str,  # local, as in 2026-11-25T23:01:02.003+01:00
    "zone": str,
    "offset": int,  # of the zone from UTC, in seconds, at this time
})

FetchRequestArgument = TypedDict("FetchRequestArgument", {
    "url": str,  # absolute; what is not ASCII is percent-encoded, in host names punycode
    "method": NotRequired[str],  # GET if there is none
    "headers": NotRequired[dict[str, str]],
    "body": NotRequired[str],  # text, sent as UTF-8
    "bytes": NotRequired[bytes],  # a binary body, instead of body
    "binary": NotRequired[bool],  # the response's body is wanted as bytes
})

FetchRequestResult = TypedDict("FetchRequestResult", {
    "status": int,
    "url": str,  # of the request that this answers, behind redirects
    "headers": dict[str, str],  # names in lower case
    "body": str,  # as UTF-8, empty if it is in bytes
    "bytes": NotRequired[None | bytes],  # the body if the request has binary
})

FilesListArgument = TypedDict("FilesListArgument", {
    "path": NotRequired[str],  # a directory; the workspace itself if there is none
    "after": NotRequired[str],  # the last name of the list before
    "limit": NotRequired[int],  # at most and by default 1000
})

FilesListResultEntriesItem = TypedDict("FilesListResultEntriesItem", {
    "name": str,
    "dir": bool,
    "size": int,  # of a file, in bytes
})

FilesListResult = TypedDict("FilesListResult", {
    "entries": None | list[FilesListResultEntriesItem],  # ordered by name
    "more": bool,  # there are more entries
})

FilesMkdirArgument = TypedDict("FilesMkdirArgument", {
    "path": str,
})

FilesReadArgument = TypedDict("FilesReadArgument", {
    "path": str,
    "offset": NotRequired[int],  # in bytes
    "length": NotRequired[int],  # in bytes, at most and by default 1 MiB
    "binary": NotRequired[bool],  # the contents are wanted as bytes
})

FilesReadResult = TypedDict("FilesReadResult", {
    "text": str,  # as UTF-8, empty if it is in bytes
    "bytes": NotRequired[None | bytes],  # the contents if binary was asked for
    "next": int,  # offset of what follows; the size at the end
    "size": int,  # of the file, in bytes
})

FilesRemoveArgument = TypedDict("FilesRemoveArgument", {
    "path": str,
    "recursive": NotRequired[bool],  # a directory with all that is in it
})

FilesRenameArgument = TypedDict("FilesRenameArgument", {
    "from": str,
    "to": str,  # a file there is replaced
})

FilesStatArgument = TypedDict("FilesStatArgument", {
    "path": str,
})

FilesStatResult = TypedDict("FilesStatResult", {
    "dir": bool,
    "size": int,  # of a file, in bytes
})

FilesWriteArgument = TypedDict("FilesWriteArgument", {
    "path": str,
    "text": NotRequired[str],
    "bytes": NotRequired[bytes],  # binary contents, instead of text
    "append": NotRequired[bool],  # add to the file's end
})

FilesWriteResult = TypedDict("FilesWriteResult", {
    "size": int,  # of the file, in bytes
})

KvDeleteArgument = TypedDict("KvDeleteArgument", {
    "key": str,
    "if_version": NotRequired[None | int],  # the version that the key must have now: a conflict otherwise
})

KvDeleteResult = TypedDict("KvDeleteResult", {
    "deleted": bool,  # whether there was such a key
})

KvGetArgument = TypedDict("KvGetArgument", {
    "key": str,
})

KvGetResult = TypedDict("KvGetResult", {
    "value": Any,
    "version": int,  # for if_version
    "expires_ms": NotRequired[int],  # when the key expires, in milliseconds since 1970
})

KvListArgument = TypedDict("KvListArgument", {
    "prefix": NotRequired[str],  # of the keys
    "after": NotRequired[str],  # the last key of the page before
    "limit": NotRequired[int],  # 100 if absent, at most 1000
})

KvListResultKeysItem = TypedDict("KvListResultKeysItem", {
    "key": str,
    "version": int,
    "bytes": int,  # of the value
})

KvListResult = TypedDict("KvListResult", {
    "keys": None | list[KvListResultKeysItem],
    "more": bool,  # whether there are keys behind the last of these
})

KvPutArgument = TypedDict("KvPutArgument", {
    "key": str,  # at most 512 bytes
    "value": Any,  # JSON or binary, or JSON with binary parts
    "if_version": NotRequired[None | int],  # the version that the key must have now, 0 for none: a conflict otherwise
    "ttl_ms": NotRequired[int],  # after how many milliseconds the key expires; never if 0
})

KvPutResult = TypedDict("KvPutResult", {
    "version": int,
})

LogWriteArgument = TypedDict("LogWriteArgument", {
    "level": NotRequired[str],  # debug, info, warn or error; info if absent
    "message": str,
    "attrs": NotRequired[dict[str, Any]],  # what belongs to the message, by name
})

RandomBytesArgument = TypedDict("RandomBytesArgument", {
    "n": int,  # how many bytes
})

@overload
async def call(name: Literal["clock.now"], arg: ClockNowArgument = ..., /) -> ClockNowResult:
    """The time of day, in the host's time zone or in one of those that it offers."""
@overload
async def call(name: Literal["fetch.request"], arg: FetchRequestArgument, /) -> FetchRequestResult:
    """Makes an HTTP request. A status of 400 or more is no error.
    Errors have a code: denied, invalid_argument, unreachable, timeout or too_large.
    Allowed:
    GET HEAD https://api.example.com at /v1"""
@overload
async def call(name: Literal["files.list"], arg: FilesListArgument = ..., /) -> FilesListResult:
    """Lists a directory. Paths are relative, such as data/a.csv, without . and .. elements."""
@overload
async def call(name: Literal["files.mkdir"], arg: FilesMkdirArgument, /) -> dict[str, Any]:
    """Makes a directory, and those above it. It may be there already."""
@overload
async def call(name: Literal["files.read"], arg: FilesReadArgument, /) -> FilesReadResult:
    """Reads a file, or a part of one. Paths are relative, such as data/a.csv, without . and .. elements."""
@overload
async def call(name: Literal["files.remove"], arg: FilesRemoveArgument, /) -> dict[str, Any]:
    """Removes a file or an empty directory."""
@overload
async def call(name: Literal["files.rename"], arg: FilesRenameArgument, /) -> dict[str, Any]:
    """Moves a file. Directories cannot be moved."""
@overload
async def call(name: Literal["files.stat"], arg: FilesStatArgument, /) -> FilesStatResult:
    """Tells whether a path is a directory, and how large a file is."""
@overload
async def call(name: Literal["files.write"], arg: FilesWriteArgument, /) -> FilesWriteResult:
    """Writes a file, and makes the directories above it. Paths are relative, such as data/a.csv, without . and .. elements."""
@overload
async def call(name: Literal["kv.delete"], arg: KvDeleteArgument, /) -> KvDeleteResult:
    """Deletes a key."""
@overload
async def call(name: Literal["kv.get"], arg: KvGetArgument, /) -> None | KvGetResult:
    """The value of a key and its version, null if there is none."""
@overload
async def call(name: Literal["kv.list"], arg: KvListArgument = ..., /) -> KvListResult:
    """Keys in the order of their bytes."""
@overload
async def call(name: Literal["kv.put"], arg: KvPutArgument, /) -> KvPutResult:
    """Sets the value of a key. To change a value that others change too, give the version that kv.get returned, and begin again on a conflict."""
@overload
async def call(name: Literal["log.write"], arg: LogWriteArgument, /) -> dict[str, Any]:
    """Writes to the log of the host, for the people who run it."""
@overload
async def call(name: Literal["random.bytes"], arg: RandomBytesArgument, /) -> bytes:
    """Random bytes, fit for keys. At most 65536 at once."""
@overload
def call_sync(name: Literal["clock.now"], arg: ClockNowArgument = ..., /) -> ClockNowResult:
    """The time of day, in the host's time zone or in one of those that it offers."""
@overload
def call_sync(name: Literal["fetch.request"], arg: FetchRequestArgument, /) -> FetchRequestResult:
    """Makes an HTTP request. A status of 400 or more is no error.
    Errors have a code: denied, invalid_argument, unreachable, timeout or too_large.
    Allowed:
    GET HEAD https://api.example.com at /v1"""
@overload
def call_sync(name: Literal["files.list"], arg: FilesListArgument = ..., /) -> FilesListResult:
    """Lists a directory. Paths are relative, such as data/a.csv, without . and .. elements."""
@overload
def call_sync(name: Literal["files.mkdir"], arg: FilesMkdirArgument, /) -> dict[str, Any]:
    """Makes a directory, and those above it. It may be there already."""
@overload
def call_sync(name: Literal["files.read"], arg: FilesReadArgument, /) -> FilesReadResult:
    """Reads a file, or a part of one. Paths are relative, such as data/a.csv, without . and .. elements."""
@overload
def call_sync(name: Literal["files.remove"], arg: FilesRemoveArgument, /) -> dict[str, Any]:
    """Removes a file or an empty directory."""
@overload
def call_sync(name: Literal["files.rename"], arg: FilesRenameArgument, /) -> dict[str, Any]:
    """Moves a file. Directories cannot be moved."""
@overload
def call_sync(name: Literal["files.stat"], arg: FilesStatArgument, /) -> FilesStatResult:
    """Tells whether a path is a directory, and how large a file is."""
@overload
def call_sync(name: Literal["files.write"], arg: FilesWriteArgument, /) -> FilesWriteResult:
    """Writes a file, and makes the directories above it. Paths are relative, such as data/a.csv, without . and .. elements."""
@overload
def call_sync(name: Literal["kv.delete"], arg: KvDeleteArgument, /) -> KvDeleteResult:
    """Deletes a key."""
@overload
def call_sync(name: Literal["kv.get"], arg: KvGetArgument, /) -> None | KvGetResult:
    """The value of a key and its version, null if there is none."""
@overload
def call_sync(name: Literal["kv.list"], arg: KvListArgument = ..., /) -> KvListResult:
    """Keys in the order of their bytes."""
@overload
def call_sync(name: Literal["kv.put"], arg: KvPutArgument, /) -> KvPutResult:
    """Sets the value of a key. To change a value that others change too, give the version that kv.get returned, and begin again on a conflict."""
@overload
def call_sync(name: Literal["log.write"], arg: LogWriteArgument, /) -> dict[str, Any]:
    """Writes to the log of the host, for the people who run it."""
@overload
def call_sync(name: Literal["random.bytes"], arg: RandomBytesArgument, /) -> bytes:
    """Random bytes, fit for keys. At most 65536 at once."""
