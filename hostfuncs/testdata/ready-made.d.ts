declare module "spore" {
  export class HostError extends Error { code: string; }
  /** An aborted signal gives the call up: its promise is rejected with the signal's reason. */
  export interface CallOptions { signal?: AbortSignal; }
  /** Hands one part of the result to whoever reads it, an element as HTML, and waits until the next is wanted. */
  export function emit(value: any): Promise<void>;
  /** The time of day, in the host's time zone or in one of those that it offers. */
  export function call(name: "clock.now", argument?: {
    /** such as Europe/Oslo; the host decides which there are */
    zone?: string;
  }, options?: CallOptions): Promise<{
    /** milliseconds since 1970-01-01T00:00:00Z */
    unix_ms: number;
    /** local, as in 2026-11-25T23:01:02.003+01:00 */
    time: string;
    zone: string;
    /** of the zone from UTC, in seconds, at this time */
    offset: number;
  }>;
  /** The time of day, in the host's time zone or in one of those that it offers. */
  export function callSync(name: "clock.now", argument?: {
    /** such as Europe/Oslo; the host decides which there are */
    zone?: string;
  }): {
    /** milliseconds since 1970-01-01T00:00:00Z */
    unix_ms: number;
    /** local, as in 2026-11-25T23:01:02.003+01:00 */
    time: string;
    zone: string;
    /** of the zone from UTC, in seconds, at this time */
    offset: number;
  };
  /** Makes an HTTP request. A status of 400 or more is no error.
   * Errors have a code: denied, invalid_argument, unreachable, timeout or too_large.
   * Allowed:
   * GET HEAD https://api.example.com at /v1 */
  export function call(name: "fetch.request", argument: {
    /** absolute; what is not ASCII is percent-encoded, in host names punycode */
    url: string;
    /** GET if there is none */
    method?: string;
    headers?: Record<string, string>;
    /** text, sent as UTF-8 */
    body?: string;
    /** a binary body, instead of body */
    bytes?: Uint8Array;
    /** the response's body is wanted as bytes */
    binary?: boolean;
  }, options?: CallOptions): Promise<{
    status: number;
    /** of the request that this answers, behind redirects */
    url: string;
    /** names in lower case */
    headers: Record<string, string>;
    /** as UTF-8, empty if it is in bytes */
    body: string;
    /** the body if the request has binary */
    bytes?: null | Uint8Array;
  }>;
  /** Makes an HTTP request. A status of 400 or more is no error.
   * Errors have a code: denied, invalid_argument, unreachable, timeout or too_large.
   * Allowed:
   * GET HEAD https://api.example.com at /v1 */
  export function callSync(name: "fetch.request", argument: {
    /** absolute; what is not ASCII is percent-encoded, in host names punycode */
    url: string;
    /** GET if there is none */
    method?: string;
    headers?: Record<string, string>;
    /** text, sent as UTF-8 */
    body?: string;
    /** a binary body, instead of body */
    bytes?: Uint8Array;
    /** the response's body is wanted as bytes */
    binary?: boolean;
  }): {
    status: number;
    /** of the request that this answers, behind redirects */
    url: string;
    /** names in lower case */
    headers: Record<string, string>;
    /** as UTF-8, empty if it is in bytes */
    body: string;
    /** the body if the request has binary */
    bytes?: null | Uint8Array;
  };
  /** Lists a directory. Paths are relative, such as data/a.csv, without . and .. elements. */
  export function call(name: "files.list", argument?: {
    /** a directory; the workspace itself if there is none */
    path?: string;
    /** the last name of the list before */
    after?: string;
    /** at most and by default 1000 */
    limit?: number;
  }, options?: CallOptions): Promise<{
    /** ordered by name */
    entries: null | Array<{
      name: string;
      dir: boolean;
      /** of a file, in bytes */
      size: number;
    }>;
    /** there are more entries */
    more: boolean;
  }>;
  /** Lists a directory. Paths are relative, such as data/a.csv, without . and .. elements. */
  export function callSync(name: "files.list", argument?: {
    /** a directory; the workspace itself if there is none */
    path?: string;
    /** the last name of the list before */
    after?: string;
    /** at most and by default 1000 */
    limit?: number;
  }): {
    /** ordered by name */
    entries: null | Array<{
      name: string;
      dir: boolean;
      /** of a file, in bytes */
      size: number;
    }>;
    /** there are more entries */
    more: boolean;
  };
  /** Makes a directory, and those above it. It may be there already. */
  export function call(name: "files.mkdir", argument: {
    path: string;
  }, options?: CallOptions): Promise<{}>;
  /** Makes a directory, and those above it. It may be there already. */
  export function callSync(name: "files.mkdir", argument: {
    path: string;
  }): {};
  /** Reads a file, or a part of one. Paths are relative, such as data/a.csv, without . and .. elements. */
  export function call(name: "files.read", argument: {
    path: string;
    /** in bytes */
    offset?: number;
    /** in bytes, at most and by default 1 MiB */
    length?: number;
    /** the contents are wanted as bytes */
    binary?: boolean;
  }, options?: CallOptions): Promise<{
    /** as UTF-8, empty if it is in bytes */
    text: string;
    /** the contents if binary was asked for */
    bytes?: null | Uint8Array;
    /** offset of what follows; the size at the end */
    next: number;
    /** of the file, in bytes */
    size: number;
  }>;
  /** Reads a file, or a part of one. Paths are relative, such as data/a.csv, without . and .. elements. */
  export function callSync(name: "files.read", argument: {
    path: string;
    /** in bytes */
    offset?: number;
    /** in bytes, at most and by default 1 MiB */
    length?: number;
    /** the contents are wanted as bytes */
    binary?: boolean;
  }): {
    /** as UTF-8, empty if it is in bytes */
    text: string;
    /** the contents if binary was asked for */
    bytes?: null | Uint8Array;
    /** offset of what follows; the size at the end */
    next: number;
    /** of the file, in bytes */
    size: number;
  };
  /** Removes a file or an empty directory. */
  export function call(name: "files.remove", argument: {
    path: string;
    /** a directory with all that is in it */
    recursive?: boolean;
  }, options?: CallOptions): Promise<{}>;
  /** Removes a file or an empty directory. */
  export function callSync(name: "files.remove", argument: {
    path: string;
    /** a directory with all that is in it */
    recursive?: boolean;
  }): {};
  /** Moves a file. Directories cannot be moved. */
  export function call(name: "files.rename", argument: {
    from: string;
    /** a file there is replaced */
    to: string;
  }, options?: CallOptions): Promise<{}>;
  /** Moves a file. Directories cannot be moved. */
  export function callSync(name: "files.rename", argument: {
    from: string;
    /** a file there is replaced */
    to: string;
  }): {};
  /** Tells whether a path is a directory, and how large a file is. */
  export function call(name: "files.stat", argument: {
    path: string;
  }, options?: CallOptions): Promise<{
    dir: boolean;
    /** of a file, in bytes */
    size: number;
  }>;
  /** Tells whether a path is a directory, and how large a file is. */
  export function callSync(name: "files.stat", argument: {
    path: string;
  }): {
    dir: boolean;
    /** of a file, in bytes */
    size: number;
  };
  /** Writes a file, and makes the directories above it. Paths are relative, such as data/a.csv, without . and .. elements. */
  export function call(name: "files.write", argument: {
    path: string;
    text?: string;
    /** binary contents, instead of text */
    bytes?: Uint8Array;
    /** add to the file's end */
    append?: boolean;
  }, options?: CallOptions): Promise<{
    /** of the file, in bytes */
    size: number;
  }>;
  /** Writes a file, and makes the directories above it. Paths are relative, such as data/a.csv, without . and .. elements. */
  export function callSync(name: "files.write", argument: {
    path: string;
    text?: string;
    /** binary contents, instead of text */
    bytes?: Uint8Array;
    /** add to the file's end */
    append?: boolean;
  }): {
    /** of the file, in bytes */
    size: number;
  };
  /** Deletes a key. */
  export function call(name: "kv.delete", argument: {
    key: string;
    /** the version that the key must have now: a conflict otherwise */
    if_version?: null | number;
  }, options?: CallOptions): Promise<{
    /** whether there was such a key */
    deleted: boolean;
  }>;
  /** Deletes a key. */
  export function callSync(name: "kv.delete", argument: {
    key: string;
    /** the version that the key must have now: a conflict otherwise */
    if_version?: null | number;
  }): {
    /** whether there was such a key */
    deleted: boolean;
  };
  /** The value of a key and its version, null if there is none. */
  export function call(name: "kv.get", argument: {
    key: string;
  }, options?: CallOptions): Promise<null | {
    value: any;
    /** for if_version */
    version: number;
    /** when the key expires, in milliseconds since 1970 */
    expires_ms?: number;
  }>;
  /** The value of a key and its version, null if there is none. */
  export function callSync(name: "kv.get", argument: {
    key: string;
  }): null | {
    value: any;
    /** for if_version */
    version: number;
    /** when the key expires, in milliseconds since 1970 */
    expires_ms?: number;
  };
  /** Keys in the order of their bytes. */
  export function call(name: "kv.list", argument?: {
    /** of the keys */
    prefix?: string;
    /** the last key of the page before */
    after?: string;
    /** 100 if absent, at most 1000 */
    limit?: number;
  }, options?: CallOptions): Promise<{
    keys: null | Array<{
      key: string;
      version: number;
      /** of the value */
      bytes: number;
    }>;
    /** whether there are keys behind the last of these */
    more: boolean;
  }>;
  /** Keys in the order of their bytes. */
  export function callSync(name: "kv.list", argument?: {
    /** of the keys */
    prefix?: string;
    /** the last key of the page before */
    after?: string;
    /** 100 if absent, at most 1000 */
    limit?: number;
  }): {
    keys: null | Array<{
      key: string;
      version: number;
      /** of the value */
      bytes: number;
    }>;
    /** whether there are keys behind the last of these */
    more: boolean;
  };
  /** Sets the value of a key. To change a value that others change too, give the version that kv.get returned, and begin again on a conflict. */
  export function call(name: "kv.put", argument: {
    /** at most 512 bytes */
    key: string;
    /** JSON or binary, or JSON with binary parts */
    value: any;
    /** the version that the key must have now, 0 for none: a conflict otherwise */
    if_version?: null | number;
    /** after how many milliseconds the key expires; never if 0 */
    ttl_ms?: number;
  }, options?: CallOptions): Promise<{
    version: number;
  }>;
  /** Sets the value of a key. To change a value that others change too, give the version that kv.get returned, and begin again on a conflict. */
  export function callSync(name: "kv.put", argument: {
    /** at most 512 bytes */
    key: string;
    /** JSON or binary, or JSON with binary parts */
    value: any;
    /** the version that the key must have now, 0 for none: a conflict otherwise */
    if_version?: null | number;
    /** after how many milliseconds the key expires; never if 0 */
    ttl_ms?: number;
  }): {
    version: number;
  };
  /** Writes to the log of the host, for the people who run it. */
  export function call(name: "log.write", argument: {
    /** debug, info, warn or error; info if absent */
    level?: string;
    message: string;
    /** what belongs to the message, by name */
    attrs?: Record<string, any>;
  }, options?: CallOptions): Promise<{}>;
  /** Writes to the log of the host, for the people who run it. */
  export function callSync(name: "log.write", argument: {
    /** debug, info, warn or error; info if absent */
    level?: string;
    message: string;
    /** what belongs to the message, by name */
    attrs?: Record<string, any>;
  }): {};
  /** Random bytes, fit for keys. At most 65536 at once. */
  export function call(name: "random.bytes", argument: {
    /** how many bytes */
    n: number;
  }, options?: CallOptions): Promise<Uint8Array>;
  /** Random bytes, fit for keys. At most 65536 at once. */
  export function callSync(name: "random.bytes", argument: {
    /** how many bytes */
    n: number;
  }): Uint8Array;
}
