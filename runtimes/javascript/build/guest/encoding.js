// TextEncoder and TextDecoder for UTF-8, UTF-16LE and Latin-1 (which the Encoding Standard reads as windows-1252).
import { define, native } from './native.js';

const LABELS = {
  __proto__: null,
  'utf-8': 'utf-8', utf8: 'utf-8', 'unicode-1-1-utf-8': 'utf-8',
  'utf-16le': 'utf-16le', 'utf-16': 'utf-16le', 'ucs-2': 'utf-16le', unicode: 'utf-16le',
  latin1: 'windows-1252', 'iso-8859-1': 'windows-1252', iso88591: 'windows-1252', l1: 'windows-1252',
  ascii: 'windows-1252', 'us-ascii': 'windows-1252', 'windows-1252': 'windows-1252', cp1252: 'windows-1252',
};

// the bytes 0x80 to 0x9F of windows-1252
const HIGH = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function bytesOf(source) {
  if (source === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw new TypeError('TextDecoder.decode: the input must be an ArrayBuffer or a view of one');
}

const join = (a, b) => {
  if (a.length === 0) return b;
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
};

// incomplete counts the bytes at the end that may be the start of a longer sequence of UTF-8.
function incomplete(b) {
  for (let i = 1; i <= 3 && i <= b.length; i++) {
    const c = b[b.length - i];
    if (c >= 0xc0) return (c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2) > i ? i : 0;
    if (c < 0x80) return 0;
  }
  return 0;
}

function chars(b, code) {
  let out = '';
  for (let i = 0; i < b.length; i += 4096) {
    out += String.fromCharCode(...Array.from(b.subarray(i, i + 4096), code));
  }
  return out;
}

class TextEncoder {
  get encoding() { return 'utf-8'; }

  encode(input = '') { return native.encode(`${input}`); }

  encodeInto(source, destination) {
    const all = native.encode(`${source}`);
    let n = Math.min(all.length, destination.length);
    while (n > 0 && n < all.length && (all[n] & 0xc0) === 0x80) n--; // not in the middle of a character
    destination.set(all.subarray(0, n));
    return { read: native.decode(all.subarray(0, n), false).length, written: n };
  }
}

class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #rest = new Uint8Array(0); // of the last chunk
  #started = false;

  constructor(label = 'utf-8', options = {}) {
    this.#encoding = LABELS[`${label}`.trim().toLowerCase()];
    if (!this.#encoding) throw new RangeError(`TextDecoder: the encoding ${JSON.stringify(`${label}`)} is not supported`);
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }

  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(input, options = {}) {
    let bytes = join(this.#rest, bytesOf(input));
    const more = Boolean(options?.stream);
    let keep = 0;
    if (more) keep = this.#encoding === 'utf-8' ? incomplete(bytes) : this.#encoding === 'utf-16le' ? bytes.length & 1 : 0;
    this.#rest = bytes.slice(bytes.length - keep);
    bytes = bytes.subarray(0, bytes.length - keep);
    let text = this.#text(bytes);
    if (text === undefined) {
      this.#rest = new Uint8Array(0);
      this.#started = false;
      throw new TypeError(`TextDecoder.decode: the input is not ${this.#encoding}`);
    }
    if (!this.#started && text !== '') {
      if (!this.#ignoreBOM && text[0] === '\uFEFF' && this.#encoding !== 'windows-1252') text = text.slice(1);
      this.#started = true;
    }
    if (!more) this.#started = false;
    return text;
  }

  #text(bytes) {
    switch (this.#encoding) {
      case 'utf-8': return native.decode(bytes, this.#fatal);
      case 'windows-1252': return chars(bytes, (b) => (b >= 0x80 && b < 0xa0 ? HIGH.charCodeAt(b - 0x80) : b));
    }
    const units = new Uint16Array(bytes.length >> 1);
    for (let i = 0; i < units.length; i++) units[i] = bytes[2 * i] | bytes[2 * i + 1] << 8;
    const text = chars(units, (u) => u) + (bytes.length & 1 ? '\uFFFD' : '');
    const fixed = text.toWellFormed();
    return this.#fatal && (fixed !== text || bytes.length & 1) ? undefined : fixed;
  }
}

for (const c of [TextEncoder, TextDecoder]) {
  Object.defineProperty(c.prototype, Symbol.toStringTag, { value: c.name, configurable: true });
}
define({ TextEncoder, TextDecoder });
