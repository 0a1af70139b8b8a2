// structuredClone, after the HTML Standard, for all serialisable types that exist here.
import './events.js';
import { define } from './native.js';

const fail = (what) => { throw new DOMException(`${what} could not be cloned.`, 'DataCloneError'); };

const ERRORS = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

// tag tells the kind of an object by what it is, not by what it says it is.
function tagOf(v) {
  for (const [tag, probe] of PROBES) {
    try {
      probe(v);
      return tag;
    } catch {
      // not of this kind
    }
  }
  return '';
}
const getter = (c, name) => {
  const f = Object.getOwnPropertyDescriptor(c.prototype, name).get;
  return (v) => f.call(v);
};
const method = (c, name) => {
  const f = c.prototype[name];
  return (v) => f.call(v);
};
const PROBES = [
  ['Map', getter(Map, 'size')],
  ['Set', getter(Set, 'size')],
  ['Date', method(Date, 'getTime')],
  ['RegExp', (v) => { if (!(v instanceof RegExp)) throw v; }],
  ['ArrayBuffer', getter(ArrayBuffer, 'byteLength')],
  ['Boolean', method(Boolean, 'valueOf')],
  ['Number', method(Number, 'valueOf')],
  ['String', method(String, 'valueOf')],
  ['BigInt', method(BigInt, 'valueOf')],
];
const OPAQUE = [Promise, WeakMap, WeakSet, WeakRef, EventTarget];

class Cloner {
  constructor(transfer) {
    this.seen = new Map();
    for (const b of transfer) {
      if (!(b instanceof ArrayBuffer)) fail('A value of the transfer list');
      this.seen.set(b, b.transfer());
    }
  }

  clone(v) {
    if (typeof v === 'symbol' || typeof v === 'function') fail(typeof v === 'function' ? v.name || 'A function' : String(v));
    if (typeof v !== 'object' || v === null) return v;
    if (this.seen.has(v)) return this.seen.get(v);
    return this.object(v);
  }

  keep(v, copy) {
    this.seen.set(v, copy);
    return copy;
  }

  object(v) {
    if (Array.isArray(v)) {
      const copy = this.keep(v, []);
      copy.length = v.length;
      return this.properties(v, copy);
    }
    if (ArrayBuffer.isView(v)) {
      const buffer = this.clone(v.buffer);
      if (v instanceof DataView) return this.keep(v, new DataView(buffer, v.byteOffset, v.byteLength));
      return this.keep(v, new globalThis[v[Symbol.toStringTag]](buffer, v.byteOffset, v.length));
    }
    if (Error.isError(v)) return this.error(v);
    if (OPAQUE.some((c) => v instanceof c)) fail(`A ${v.constructor?.name ?? 'value'}`);
    switch (tagOf(v)) {
      case 'Map': {
        const copy = this.keep(v, new Map());
        for (const [k, x] of [...v]) copy.set(this.clone(k), this.clone(x));
        return copy;
      }
      case 'Set': {
        const copy = this.keep(v, new Set());
        for (const x of [...v]) copy.add(this.clone(x));
        return copy;
      }
      case 'Date': return this.keep(v, new Date(v.getTime()));
      case 'RegExp': return this.keep(v, new RegExp(v.source, v.flags));
      case 'ArrayBuffer': return this.keep(v, v.slice(0));
      case 'Boolean': return this.keep(v, Object(Boolean.prototype.valueOf.call(v)));
      case 'Number': return this.keep(v, Object(Number.prototype.valueOf.call(v)));
      case 'String': return this.keep(v, Object(String.prototype.valueOf.call(v)));
      case 'BigInt': return this.keep(v, Object(BigInt.prototype.valueOf.call(v)));
    }
    return this.properties(v, this.keep(v, {}));
  }

  error(v) {
    if (v instanceof DOMException) return this.keep(v, new DOMException(v.message, v.name));
    const name = String(v.name);
    const copy = this.keep(v, new (ERRORS[name] ?? Error)());
    const set = (key, value) => Object.defineProperty(copy, key, { value, writable: true, enumerable: false, configurable: true });
    if (Object.hasOwn(v, 'message')) set('message', String(v.message));
    if (Object.hasOwn(v, 'cause')) set('cause', this.clone(v.cause));
    set('stack', String(v.stack));
    return copy;
  }

  properties(v, copy) {
    for (const k of Object.keys(v)) {
      if (!Object.hasOwn(v, k)) continue; // a getter may have removed it
      Object.defineProperty(copy, k, { value: this.clone(v[k]), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  }
}

define({
  structuredClone: function structuredClone(value, options) {
    if (arguments.length === 0) throw new TypeError('structuredClone: a value is required');
    return new Cloner(options?.transfer ?? []).clone(value);
  },
});
