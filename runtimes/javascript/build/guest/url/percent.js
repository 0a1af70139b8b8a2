// In place of @exodus/bytes/whatwg.js: percent-encoding after encoding, where the encoding is always UTF-8.
import { native } from '../native.js';

export function percentEncodeAfterEncoding(encoding, input, set) {
  let out = '';
  for (const b of native.encode(input)) {
    const c = String.fromCharCode(b);
    out += b < 0x20 || b > 0x7e || set.includes(c) ? '%' + b.toString(16).toUpperCase().padStart(2, '0') : c;
  }
  return out;
}
