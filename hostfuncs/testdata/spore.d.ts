declare module "spore" {
  export class HostError extends Error { code: string; }
  /** An aborted signal gives the call up: its promise is rejected with the signal's reason. */
  export interface CallOptions { signal?: AbortSignal; }
  /** Hands one part of the result to whoever reads it, an element as HTML, and waits until the next is wanted. */
  export function emit(value: any): Promise<void>;
  /** Any value. */
  export function call(name: "blob.copy", argument?: any, options?: CallOptions): Promise<any>;
  /** Any value. */
  export function callSync(name: "blob.copy", argument?: any): any;
  /** An image of another size. */
  export function call(name: "image.scale", argument: {
    /** PNG or JPEG */
    image: Uint8Array;
    mask?: null | Uint8Array;
    layers?: Record<string, Uint8Array>;
    extra?: any;
    raw?: any;
  }, options?: CallOptions): Promise<null | Array<Uint8Array>>;
  /** An image of another size. */
  export function callSync(name: "image.scale", argument: {
    /** PNG or JPEG */
    image: Uint8Array;
    mask?: null | Uint8Array;
    layers?: Record<string, Uint8Array>;
    extra?: any;
    raw?: any;
  }): null | Array<Uint8Array>;
  /** Ends *∕ a comment and a """ docstring. */
  export function call(name: "kv.delete", argument: {
    key: string;
  }, options?: CallOptions): Promise<{}>;
  /** Ends *∕ a comment and a """ docstring. */
  export function callSync(name: "kv.delete", argument: {
    key: string;
  }): {};
  export function call(name: "kv.keys", argument?: undefined, options?: CallOptions): Promise<null | Array<Record<string, null | number>>>;
  export function callSync(name: "kv.keys"): null | Array<Record<string, null | number>>;
  /** Rows. */
  export function call(name: "query.next", argument: {
    query: number;
  }, options?: CallOptions): Promise<any>;
  /** Rows. */
  export function callSync(name: "query.next", argument: {
    query: number;
  }): any;
  /** The weather in a city.
   * Today, or for some days. */
  export function call(name: "weather.today", argument: {
    /** where, as people write it */
    city: string;
    days?: number;
    tags?: null | Array<string>;
    near?: null | {
      lat: number;
      lon: number;
    };
    "opt-s"?: Record<string, string>;
  }, options?: CallOptions): Promise<{
    high: null | Array<number>;
    rain: boolean;
  }>;
  /** The weather in a city.
   * Today, or for some days. */
  export function callSync(name: "weather.today", argument: {
    /** where, as people write it */
    city: string;
    days?: number;
    tags?: null | Array<string>;
    near?: null | {
      lat: number;
      lon: number;
    };
    "opt-s"?: Record<string, string>;
  }): {
    high: null | Array<number>;
    rain: boolean;
  };
}
