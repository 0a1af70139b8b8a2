// crypto.getRandomValues and crypto.randomUUID, from the host's randomness at every call. And performance, by the guest's
// own time (shim/clock.c): the interpreter's would go back when an instance is resumed elsewhere.
import { define, native } from './native.js';

const INTEGERS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];
const QUOTA = 65536;

const crypto = {
  getRandomValues(array) {
    if (!INTEGERS.some((c) => array instanceof c)) throw new DOMException('The data must be a typed array of integers', 'TypeMismatchError');
    if (array.byteLength > QUOTA) throw new DOMException(`At most ${QUOTA} bytes of randomness at a time`, 'QuotaExceededError');
    native.random(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return array;
  },
  randomUUID() {
    const b = new Uint8Array(16);
    native.random(b);
    b[6] = b[6] & 0x0f | 0x40; // version 4
    b[8] = b[8] & 0x3f | 0x80; // variant of RFC 9562
    const h = b.toHex();
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
  },
};
Object.defineProperty(crypto, Symbol.toStringTag, { value: 'Crypto', configurable: true });
define({
  crypto,
  performance: {
    now() { return native.now(); },
    get timeOrigin() { return native.timeOrigin(); },
    toJSON() { return { timeOrigin: this.timeOrigin }; },
  },
});
