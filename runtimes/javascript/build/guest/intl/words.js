// Intl.ListFormat and Intl.RelativeTimeFormat for English.
import { asOptions, option, resolve } from './locale.js';
import { numberFormat } from './number.js';

export class ListFormat {
  #r;

  constructor(locales, options) {
    const o = asOptions(options);
    this.#r = {
      locale: resolve(locales),
      type: option(o, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction'),
      style: option(o, 'style', ['long', 'short', 'narrow'], 'long'),
    };
  }

  // between gives what stands between two items, and before the last one of more.
  #between() {
    const { type, style, locale } = this.#r;
    const comma = locale === 'en-GB' ? '' : ',';
    if (type === 'disjunction') return [' or ', `${comma} or `, ', '];
    if (type === 'unit') return style === 'narrow' ? [' ', ' ', ' '] : [', ', ', ', ', '];
    if (style === 'long') return [' and ', `${comma} and `, ', '];
    if (locale === 'en-GB') return style === 'short' ? [' and ', ' and ', ', '] : [', ', ', ', ', '];
    return style === 'short' ? [' & ', ', & ', ', '] : [', ', ', ', ', '];
  }

  formatToParts(list) {
    const items = [...list];
    for (const item of items) if (typeof item !== 'string') throw new TypeError('Iterable yielded a value that is not a string');
    const [two, last, middle] = this.#between();
    const parts = [];
    items.forEach((item, i) => {
      if (i > 0) parts.push({ type: 'literal', value: i < items.length - 1 ? middle : items.length === 2 ? two : last });
      parts.push({ type: 'element', value: item });
    });
    return parts;
  }

  format(list) { return this.formatToParts(list).map((p) => p.value).join(''); }
  resolvedOptions() { return { ...this.#r }; }
}

const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
const SHORT = { second: 'sec.', minute: 'min.', hour: 'hr.', day: 'day', week: 'wk.', month: 'mo.', quarter: 'qtr.', year: 'yr.' };
const NARROW = { second: 's', minute: 'm', hour: 'h', day: 'd', week: 'w', month: 'mo', quarter: 'q', year: 'y' };
const AUTO = {
  second: { 0: 'now' },
  minute: { 0: 'this minute' },
  hour: { 0: 'this hour' },
  day: { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' },
};

export class RelativeTimeFormat {
  #r;

  constructor(locales, options) {
    const o = asOptions(options);
    this.#r = {
      locale: resolve(locales),
      style: option(o, 'style', ['long', 'short', 'narrow'], 'long'),
      numeric: option(o, 'numeric', ['always', 'auto'], 'always'),
      numberingSystem: 'latn',
    };
  }

  // British English has no narrow forms, and no points.
  #word(unit, one) {
    const { style, locale } = this.#r;
    const british = locale === 'en-GB';
    if (style === 'long') return ` ${unit}${one ? '' : 's'}`;
    if (style === 'narrow' && !british) return NARROW[unit];
    if (unit === 'day') return one ? ' day' : ' days';
    if (unit === 'quarter') return british ? ' qtr' : one ? ' qtr.' : ' qtrs.';
    return ' ' + (british ? SHORT[unit].replace('.', '') : SHORT[unit]);
  }

  formatToParts(value, unit) {
    const n = Number(value);
    if (!Number.isFinite(n)) throw new RangeError('Invalid time value');
    const name = String(unit).replace(/s$/, '');
    if (!UNITS.includes(name)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
    if (this.#r.numeric === 'auto') {
      const word = AUTO[name]?.[Object.is(n, -0) ? 0 : n] ?? (AUTO[name] ? undefined : this.#near(name, n));
      if (word) return [{ type: 'literal', value: word }];
    }
    const past = n < 0 || Object.is(n, -0);
    const parts = numberFormat(this.#r.locale, undefined).formatToParts(Math.abs(n)).map((p) => ({ ...p, unit: name }));
    const one = Math.abs(n) === 1;
    const word = this.#word(name, one);
    return past ? [...parts, { type: 'literal', value: `${word} ago` }] : [{ type: 'literal', value: 'in ' }, ...parts, { type: 'literal', value: word }];
  }

  #near(unit, n) {
    const which = { '-1': 'last', 0: 'this', 1: 'next' }[Object.is(n, -0) ? 0 : n];
    if (!which) return undefined;
    return `${which} ${this.#r.style === 'long' ? unit : this.#r.locale === 'en-GB' && unit !== 'quarter' ? SHORT[unit].replace('.', '') : SHORT[unit]}`;
  }

  format(value, unit) { return this.formatToParts(value, unit).map((p) => p.value).join(''); }
  resolvedOptions() { return { ...this.#r }; }
}
