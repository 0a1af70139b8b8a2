// In place of the package tr46: names of domains in ASCII. The mapping is that of Unicode's NFKC and lower case, which
// is the table's own for all but rare characters; names that the table forbids are let through.
import { toASCII as punycode } from 'punycode';

export function toASCII(domain) {
  const name = domain.normalize('NFKC').toLowerCase().normalize('NFC')
    .replace(/[\u00AD\u200B\u2060\uFEFF]/g, '').replace(/[\u3002\uFF0E\uFF61]/g, '.');
  try {
    return punycode(name);
  } catch {
    return null;
  }
}
