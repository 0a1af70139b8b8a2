declare module "spore" {
  export class HostError extends Error { code: string; }
  /** The time of day, in the host's time zone or in one of those that it offers. */
  export function call(name: "clock.now", argument?: {
    /** such as Europe/Oslo; the host decides which there are */
    zone?: string;
  }): Promise<{
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
  /** Deletes a key. */
  export function call(name: "kv.delete", argument: {
    key: string;
    /** the version that the key must have now: a conflict otherwise */
    if_version?: null | number;
  }): Promise<{
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
  }): Promise<null | {
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
  }): Promise<{
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
  }): Promise<{
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
  }): Promise<{}>;
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
  }): Promise<Uint8Array>;
  /** Random bytes, fit for keys. At most 65536 at once. */
  export function callSync(name: "random.bytes", argument: {
    /** how many bytes */
    n: number;
  }): Uint8Array;
}
