// Values as text for a person, in the manner of Node's util.inspect: the same shapes, fewer options.
import { trace } from './errors.js';

const WIDTH = 72; // an object that is shorter stays on one line
const MAX_ITEMS = 100;
const MAX_STRING = 10_000;
const MAX_TEXT = 64 << 10;

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const quote = (s) => {
  const q = !s.includes("'") ? "'" : !s.includes('"') ? '"' : !s.includes('`') ? '`' : "'";
  const body = s.replace(/[\\\n\r\t\b\f\v\0]/g, (c) => JSON.stringify(c).slice(1, -1));
  return q + (q === "'" ? body.replaceAll("'", "\\'") : body) + q;
};

const key = (k) => (typeof k === 'symbol' ? `[${String(k)}]` : IDENTIFIER.test(k) ? k : quote(k));

function className(value) {
  for (let p = value; p !== null; p = Object.getPrototypeOf(p)) {
    const d = Object.getOwnPropertyDescriptor(p, 'constructor');
    if (d && typeof d.value === 'function' && d.value.name !== '') return d.value.name;
  }
  return null;
}

class Inspector {
  constructor(depth) {
    this.depth = depth;
    this.stack = [];
    this.circular = new Set();
    this.size = 0;
  }

  value(v) {
    const s = this.any(v);
    this.size += s.length;
    return s;
  }

  any(v) {
    switch (typeof v) {
      case 'string': return v.length > MAX_STRING ? `${quote(v.slice(0, MAX_STRING))}... ${v.length - MAX_STRING} more characters` : quote(v);
      case 'number': return Object.is(v, -0) ? '-0' : String(v);
      case 'bigint': return `${v}n`;
      case 'undefined': case 'boolean': case 'symbol': return String(v);
      case 'function': return this.func(v);
    }
    if (v === null) return 'null';
    if (this.stack.includes(v)) {
      this.circular.add(v);
      return '[Circular *1]';
    }
    const name = className(v);
    if (Error.isError(v)) return this.stack.length === 0 ? trace(v) : `[${trace(v).replaceAll('\n', '\n' + '  '.repeat(this.stack.length))}]`;
    if (this.size > MAX_TEXT) return '...';
    if (this.stack.length > this.depth) return Array.isArray(v) ? '[Array]' : `[${name ?? 'Object: null prototype'}]`;
    this.stack.push(v);
    try {
      const s = this.object(v, name);
      return this.circular.delete(v) ? `<ref *1> ${s}` : s;
    } finally {
      this.stack.pop();
    }
  }

  func(f) {
    const isClass = /^class\b/.test(Function.prototype.toString.call(f));
    const kind = isClass ? 'class' : className(f) ?? 'Function';
    return isClass ? `[class ${f.name || '(anonymous)'}]` : `[${kind}${f.name ? ': ' + f.name : ' (anonymous)'}]`;
  }

  object(v, name) {
    const proto = name === null ? '[Object: null prototype]' : name;
    if (Array.isArray(v)) {
      const items = [];
      for (let i = 0; i < v.length && items.length < MAX_ITEMS; i++) {
        let hole = 0;
        while (i < v.length && !Object.hasOwn(v, i)) { hole++; i++; }
        if (hole > 0) items.push(`<${hole} empty item${hole > 1 ? 's' : ''}>`);
        if (i < v.length) items.push(this.value(v[i]));
      }
      if (v.length > MAX_ITEMS) items.push(`... ${v.length - MAX_ITEMS} more item${v.length > MAX_ITEMS + 1 ? 's' : ''}`);
      items.push(...this.properties(v, (k) => typeof k === 'symbol' || !/^\d+$/.test(k)));
      return this.wrap(name === 'Array' ? '' : `${proto}(${v.length}) `, '[', items, ']');
    }
    if (v instanceof Map) {
      const items = this.some(v, ([k, x]) => `${this.value(k)} => ${this.value(x)}`);
      return this.wrap(`${proto}(${v.size}) `, '{', [...items, ...this.properties(v)], '}');
    }
    if (v instanceof Set) {
      const items = this.some(v, (x) => this.value(x));
      return this.wrap(`${proto}(${v.size}) `, '{', [...items, ...this.properties(v)], '}');
    }
    if (ArrayBuffer.isView(v) && !(v instanceof DataView)) {
      const items = this.some(v, (x) => this.value(x));
      return this.wrap(`${proto}(${v.length}) `, '[', items, ']');
    }
    if (v instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${v.byteLength} }`;
    if (v instanceof Date) return isNaN(v) ? 'Invalid Date' : v.toISOString();
    if (v instanceof RegExp) return RegExp.prototype.toString.call(v);
    if (v instanceof Promise) return 'Promise { ... }';
    if (v instanceof WeakMap || v instanceof WeakSet) return `${proto} { <items unknown> }`;
    if (v instanceof Number || v instanceof String || v instanceof Boolean) return `[${name}: ${this.value(v.valueOf())}]`;
    const tag = v[Symbol.toStringTag];
    const prefix = name === 'Object' ? '' : typeof tag === 'string' && tag !== '' && tag !== name ? `${proto} [${tag}] ` : `${proto} `;
    return this.wrap(prefix, '{', this.properties(v), '}');
  }

  some(iterable, show) {
    const items = [];
    let n = 0;
    for (const x of iterable) if (n++ < MAX_ITEMS) items.push(show(x));
    if (n > MAX_ITEMS) items.push(`... ${n - MAX_ITEMS} more item${n > MAX_ITEMS + 1 ? 's' : ''}`);
    return items;
  }

  properties(v, wanted = () => true) {
    const items = [];
    for (const k of Reflect.ownKeys(v)) {
      const d = Object.getOwnPropertyDescriptor(v, k);
      if (!d?.enumerable || !wanted(k)) continue;
      if (items.length === MAX_ITEMS) {
        items.push('...');
        break;
      }
      const shown = d.get ? (d.set ? '[Getter/Setter]' : '[Getter]') : d.set ? '[Setter]' : this.value(d.value);
      items.push(`${key(k)}: ${shown}`);
    }
    return items;
  }

  wrap(prefix, open, items, close) {
    if (items.length === 0) return prefix + open + close;
    const length = items.reduce((n, s) => n + s.length + 2, prefix.length);
    const pad = '  '.repeat(this.stack.length);
    if (length <= WIDTH && !items.some((s) => s.includes('\n'))) {
      return open === '[' ? `${prefix}[ ${items.join(', ')} ]` : `${prefix}{ ${items.join(', ')} }`;
    }
    return `${prefix}${open}\n${pad}${items.join(',\n' + pad)}\n${pad.slice(2)}${close}`;
  }
}

export function inspect(value, options) {
  const depth = options?.depth === null ? Infinity : options?.depth ?? 2;
  try {
    return new Inspector(depth).value(value);
  } catch (e) {
    return `[a value that cannot be shown: ${e?.message}]`;
  }
}

// format joins the arguments of a console function; the first may hold %s, %d, %i, %f, %j, %o, %O and %c.
export function format(args) {
  let i = 0;
  let out = '';
  if (typeof args[0] === 'string') {
    i = 1;
    out = args.length === 1 ? args[0] : args[0].replace(/%([sdifjoOc%])/g, (whole, c) => {
      if (c === '%') return '%';
      if (i >= args.length) return whole;
      const v = args[i++];
      switch (c) {
        case 's': return typeof v === 'string' ? v : typeof v === 'object' && v !== null ? inspect(v, { depth: 0 }) : inspect(v);
        case 'd': return typeof v === 'object' ? 'NaN' : typeof v === 'bigint' ? `${v}n` : String(Number(v));
        case 'i': return typeof v === 'object' ? 'NaN' : String(parseInt(v, 10));
        case 'f': return typeof v === 'symbol' ? 'NaN' : String(parseFloat(v));
        case 'j': try { return JSON.stringify(v); } catch { return '[Circular]'; }
        case 'c': return '';
        default: return inspect(v, { depth: 4 });
      }
    });
  }
  for (; i < args.length; i++) {
    if (i > 0) out += ' ';
    out += typeof args[i] === 'string' ? args[i] : inspect(args[i]);
  }
  return out;
}
