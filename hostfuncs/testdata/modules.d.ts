declare module "spore" {
  export class HostError extends Error { code: string; }
  /** An aborted signal gives the call up: its promise is rejected with the signal's reason. */
  export interface CallOptions { signal?: AbortSignal; }
  /** Hands one part of the result to whoever reads it, an element as HTML, and waits until the next is wanted. */
  export function emit(value: any): Promise<void>;
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

/** Draws charts. */
declare module "chart" {
  /** A line as SVG. */
  export function line(values: number[]): string;
}
