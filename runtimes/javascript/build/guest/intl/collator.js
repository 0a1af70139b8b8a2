// Intl.Collator and localeCompare: an approximation of the root collation of Unicode for text in Latin letters. Letters
// are compared without case and accents first, then accents, then case, lower before upper. Other scripts are ordered by
// code point.
import { asOptions, cached, option, resolve } from './locale.js';

// Below the letters, in the order of the collation.
const ORDER = '\t\n\v\f\r \u00a0_-‐‑–—,;:!¡?¿.…·\'‘’"“”«»()[]{}§¶@*/\\&#%‰†‡•`´˜^¨°©®+±÷×<=>|¦~¬¤¢$£¥€0123456789';
const RANK = new Map([...ORDER].map((c, i) => [c, String.fromCharCode(i + 1)]));
const EXPAND = { __proto__: null, ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ł: 'l', þ: 'th', ð: 'd', ı: 'i' };
const SPECIAL = /[ßæœøđłþðı]/g;
const MARKS = /\p{M}+/gu;
const PUNCTUATION = /[\s\p{P}]/gu;
const ASCII = /^[\x20-\x7e]*$/;

const base = (s) => {
  const lower = s.toLowerCase();
  return ASCII.test(s) ? lower : lower.normalize('NFD').replace(MARKS, '').replace(SPECIAL, (c) => EXPAND[c]);
};

function primary(s, numeric) {
  let out = '';
  const text = base(s);
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (numeric && c >= '0' && c <= '9') {
      let j = i;
      while (j < text.length && text[j] >= '0' && text[j] <= '9') j++;
      const digits = text.slice(i, j).replace(/^0+(?=\d)/, '');
      // a number is as a digit, its length, then its digits
      out += RANK.get('0') + String.fromCharCode(digits.length) + digits;
      i = j - 1;
    } else out += RANK.get(c) ?? c;
  }
  return out;
}

const accents = (s) => s.toLowerCase().normalize('NFD').replace(SPECIAL, (c) => EXPAND[c] + '\u0300');
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// What primary made of texts, without and with numeric, for as long as the present job runs: a component has secrets too.
let keys = null;
const { queueMicrotask } = globalThis;
const forget = () => { keys = null; };

export class Collator {
  #r;
  #bound;

  constructor(locales, options) {
    const o = asOptions(options);
    this.#r = {
      locale: resolve(locales),
      usage: option(o, 'usage', ['sort', 'search'], 'sort'),
      sensitivity: option(o, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant'),
      ignorePunctuation: Boolean(o.ignorePunctuation),
      collation: 'default',
      numeric: Boolean(o.numeric),
      caseFirst: option(o, 'caseFirst', ['upper', 'lower', 'false'], 'false'),
    };
  }

  get compare() {
    this.#bound ??= (x, y) => this.#compare(String(x), String(y));
    return this.#bound;
  }

  resolvedOptions() { return { ...this.#r }; }

  #key(s) {
    if (keys === null) {
      keys = [new Map(), new Map()];
      queueMicrotask(forget);
    }
    const known = keys[Number(this.#r.numeric)];
    let k = known.get(s);
    if (k === undefined) {
      k = primary(s, this.#r.numeric);
      if (known.size === 512) known.clear();
      known.set(s, k);
    }
    return k;
  }

  #compare(a, b) {
    const r = this.#r;
    if (a === b) return 0;
    if (r.ignorePunctuation) {
      a = a.replace(PUNCTUATION, '');
      b = b.replace(PUNCTUATION, '');
    }
    const first = order(this.#key(a), this.#key(b));
    if (first !== 0 || r.sensitivity === 'base') return first;
    if (r.sensitivity !== 'case' && !(ASCII.test(a) && ASCII.test(b))) {
      const second = order(accents(a), accents(b));
      if (second !== 0) return second;
    }
    if (r.sensitivity === 'accent') return 0;
    return this.#cases(a, b) * (r.caseFirst === 'upper' ? -1 : 1);
  }

  // cases finds the first letter that differs in case: the lower one comes first.
  #cases(a, b) {
    const fold = this.#r.sensitivity === 'case' ? (s) => s.normalize('NFD').replace(MARKS, '').replace(SPECIAL, (c) => EXPAND[c]) : (s) => s.normalize('NFD');
    const x = fold(a);
    const y = fold(b);
    for (let i = 0; i < x.length && i < y.length; i++) {
      if (x[i] !== y[i]) return x[i] === x[i].toLowerCase() ? -1 : 1;
    }
    return 0;
  }
}

export const collator = cached((locales, options) => new Collator(locales, options));
