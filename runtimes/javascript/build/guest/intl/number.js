// Intl.NumberFormat and Intl.PluralRules for English.
import { COMPACT_GB, COMPACT_LONG, COMPACT_SHORT, COMPOUND, DIGITS, NAMES, NARROW, PER, SYMBOLS, SYMBOLS_GB, UNITS, UNITS_GB } from './numberdata.js';
import { asOptions, cached, integer, option, resolve } from './locale.js';

const NBSP = '\u00a0';
const MODES = ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven'];

// A decimal is {negative, digits, exponent}: 0.digits × 10^exponent, without zeros at either end; zero has no digits.
function decimal(x) {
  let s;
  let negative;
  if (typeof x === 'bigint') {
    negative = x < 0n;
    s = String(negative ? -x : x);
  } else {
    const text = typeof x === 'string' ? x.trim() : '';
    const m = /^([-+]?)(\d*\.?\d*(?:e[-+]?\d+)?)$/i.exec(text);
    if (m && /\d/.test(m[2])) { // all digits of a string count, not only those that fit in a double
      negative = m[1] === '-';
      s = m[2].toLowerCase();
    } else {
      const n = Number(x);
      if (!Number.isFinite(n)) return { negative: n < 0, special: Number.isNaN(n) ? 'nan' : 'infinity' };
      negative = n < 0 || Object.is(n, -0);
      s = String(Math.abs(n));
    }
  }
  const [mantissa, e = '0'] = s.split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  return {
    negative,
    digits: digits.replace(/0+$/, ''),
    exponent: digits === '' ? 0 : whole.length - (all.length - digits.length) + Number(e),
  };
}

// away decides whether cutting off `rest` rounds away from zero; last is the digit before it.
function away(mode, negative, last, rest) {
  if (!/[1-9]/.test(rest)) return false;
  switch (mode) {
    case 'ceil': return !negative;
    case 'floor': return negative;
    case 'expand': return true;
    case 'trunc': return false;
  }
  const half = rest[0] === '5' && !/[1-9]/.test(rest.slice(1));
  if (!half) return rest[0] >= '5';
  switch (mode) {
    case 'halfCeil': return !negative;
    case 'halfFloor': return negative;
    case 'halfTrunc': return false;
    case 'halfEven': return (last.charCodeAt(0) & 1) === 1;
  }
  return true;
}

// round keeps `keep` digits.
function round(d, keep, mode) {
  if (d.digits.length <= keep) return d;
  const padded = keep < 0 ? '0'.repeat(-keep) + d.digits : d.digits;
  const n = Math.max(keep, 0);
  const head = padded.slice(0, n);
  let { exponent } = d;
  let digits;
  if (away(mode, d.negative, n > 0 ? head[n - 1] : '0', padded.slice(n))) {
    const up = String(BigInt('1' + head) + 1n); // the one in front keeps zeros at the start
    if (up[0] === '2') {
      digits = '1';
      exponent = keep < 0 ? exponent - keep + 1 : exponent + 1;
    } else digits = up.slice(1);
  } else digits = head;
  digits = digits.replace(/0+$/, '');
  return { negative: d.negative, digits, exponent: digits === '' ? 0 : exponent };
}

function digitOptions(r, options, minDefault, maxDefault, compact) {
  r.minimumIntegerDigits = integer(options, 'minimumIntegerDigits', 1, 21, 1);
  const { minimumSignificantDigits: minS, maximumSignificantDigits: maxS } = options;
  if (minS !== undefined || maxS !== undefined) {
    r.minimumSignificantDigits = integer(options, 'minimumSignificantDigits', 1, 21, 1);
    r.maximumSignificantDigits = integer(options, 'maximumSignificantDigits', r.minimumSignificantDigits, 21, 21);
    return;
  }
  let min = integer(options, 'minimumFractionDigits', 0, 100, undefined);
  let max = integer(options, 'maximumFractionDigits', 0, 100, undefined);
  if (min === undefined && max === undefined && compact) {
    r.compactRounding = true;
    return;
  }
  if (min === undefined) min = max === undefined ? minDefault : Math.min(minDefault, max);
  else if (max === undefined) max = Math.max(maxDefault, min);
  else if (min > max) throw new RangeError('maximumFractionDigits value is out of range.');
  r.minimumFractionDigits = min;
  r.maximumFractionDigits = max ?? maxDefault;
}

// rounded applies the digit options.
function rounded(d, r) {
  if (r.compactRounding) return round(d, Math.max(d.exponent, 2), r.roundingMode);
  if (r.maximumSignificantDigits !== undefined) return round(d, r.maximumSignificantDigits, r.roundingMode);
  return round(d, d.exponent + r.maximumFractionDigits, r.roundingMode);
}

// written gives the digits before and behind the point.
function written(d, r) {
  const { digits, exponent } = d;
  let whole = exponent > 0 ? digits.slice(0, exponent).padEnd(exponent, '0') : '0';
  let fraction = exponent > 0 ? digits.slice(exponent) : '0'.repeat(digits === '' ? 0 : -exponent) + digits;
  if (r.minimumSignificantDigits !== undefined) {
    const significant = exponent > 0 ? Math.max(digits.length, exponent) : digits === '' ? 1 : digits.length;
    if (significant < r.minimumSignificantDigits) fraction = fraction.padEnd(fraction.length + r.minimumSignificantDigits - significant, '0');
  } else if (!r.compactRounding) fraction = fraction.padEnd(r.minimumFractionDigits, '0');
  if (r.trailingZeroDisplay === 'stripIfInteger' && /^0*$/.test(fraction)) fraction = '';
  whole = whole.padStart(r.minimumIntegerDigits, '0');
  return { whole, fraction };
}

const plural = (w) => (/^0*1$/.test(w.whole) && w.fraction === '' ? 'one' : 'other');

export class NumberFormat {
  #r;
  #bound;

  constructor(locales, options) {
    const o = asOptions(options);
    const r = { locale: resolve(locales), numberingSystem: 'latn', style: option(o, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal') };
    const currency = option(o, 'currency', undefined, undefined);
    if (currency !== undefined && !/^[a-z]{3}$/i.test(currency)) throw new RangeError(`Invalid currency code : ${currency}`);
    const unit = option(o, 'unit', undefined, undefined);
    if (unit !== undefined) checkUnit(unit);
    if (r.style === 'currency') {
      if (currency === undefined) throw new TypeError('Currency code is required with currency style.');
      r.currency = currency.toUpperCase();
      r.currencyDisplay = option(o, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol');
      r.currencySign = option(o, 'currencySign', ['standard', 'accounting'], 'standard');
    } else if (r.style === 'unit') {
      if (unit === undefined) throw new TypeError('Unit is required with unit style.');
      r.unit = unit;
      r.unitDisplay = option(o, 'unitDisplay', ['short', 'narrow', 'long'], 'short');
    }
    const notation = option(o, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard');
    const places = r.style === 'currency' ? DIGITS[r.currency] ?? 2 : 0;
    const most = r.style === 'currency' ? places : r.style === 'percent' ? 0 : 3;
    digitOptions(r, o, places, Math.max(places, most), notation === 'compact');
    const grouping = o.useGrouping;
    const standard = notation === 'compact' ? 'min2' : 'auto';
    r.useGrouping = grouping === undefined ? standard : grouping === true || grouping === 'true' ? 'always' : !grouping || grouping === 'false' ? false
      : option(o, 'useGrouping', ['min2', 'auto', 'always'], standard);
    if (notation === 'compact' && r.useGrouping === 'auto') r.useGrouping = standard;
    r.notation = notation;
    if (notation === 'compact') r.compactDisplay = option(o, 'compactDisplay', ['short', 'long'], 'short');
    r.signDisplay = option(o, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto');
    r.roundingIncrement = 1;
    r.roundingMode = option(o, 'roundingMode', MODES, 'halfExpand');
    r.roundingPriority = 'auto';
    r.trailingZeroDisplay = option(o, 'trailingZeroDisplay', ['auto', 'stripIfInteger'], 'auto');
    this.#r = r;
  }

  get format() {
    this.#bound ??= (x) => this.#parts(x).map((p) => p.value).join('');
    return this.#bound;
  }

  formatToParts(x) { return this.#parts(x); }

  formatRange(a, b) {
    const x = this.format(a);
    const y = this.format(b);
    return x === y ? `~${x}` : `${x} – ${y}`;
  }

  resolvedOptions() {
    const { compactRounding, ...r } = this.#r;
    return compactRounding ? { ...r, minimumFractionDigits: 0, maximumFractionDigits: 0, minimumSignificantDigits: 1, maximumSignificantDigits: 2, roundingPriority: 'morePrecision' } : r;
  }

  #parts(x) {
    const r = this.#r;
    let d = decimal(x);
    const parts = [];
    const add = (type, value) => { if (value !== '') parts.push({ type, value }); };
    let form = 'other';
    let zero = false;
    if (d.special) {
      add(d.special, d.special === 'nan' ? 'NaN' : '∞');
    } else {
      if (r.style === 'percent' && d.digits !== '') d.exponent += 2;
      const [value, shift] = scale(d, r);
      d = value;
      zero = d.digits === '';
      const w = written(d, r);
      form = shift === 0 ? plural(w) : 'other';
      group(w.whole, r.useGrouping, add);
      if (w.fraction !== '') {
        add('decimal', '.');
        add('fraction', w.fraction);
      }
      exponent(shift, r, add);
    }
    const negative = d.negative && d.special !== 'nan';
    return decorate(parts, sign(r.signDisplay, negative, zero || d.special === 'nan'), form, r);
  }
}

function checkUnit(unit) {
  const [a, b, ...more] = unit.split('-per-');
  if (more.length > 0 || !UNITS[a] || (b !== undefined && !UNITS[b])) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
}

// scale rounds, and divides by the power of ten of the notation, which it also returns.
function scale(d, r) {
  if (r.notation === 'standard') return [rounded(d, r), 0];
  let shift = 0;
  const fit = (exponent) => {
    const magnitude = exponent - 1;
    if (r.notation === 'scientific') return magnitude;
    if (r.notation === 'engineering') return Math.floor(magnitude / 3) * 3;
    return Math.min(Math.max(Math.floor(magnitude / 3) * 3, 0), 12);
  };
  for (let i = 0; i < 2 && d.digits !== ''; i++) {
    const next = fit(i === 0 ? d.exponent : rounded({ ...d, exponent: d.exponent - shift }, r).exponent + shift);
    if (i > 0 && next === shift) break;
    shift = next; // rounding may have brought it to the next power: 999,999 is 1M
  }
  const value = rounded({ ...d, exponent: d.digits === '' ? 0 : d.exponent - shift }, r);
  return [value, shift];
}

function group(whole, useGrouping, add) {
  const min = useGrouping === 'min2' ? 5 : 4;
  if (useGrouping === false || whole.length < min) return add('integer', whole);
  const first = whole.length % 3 || 3;
  add('integer', whole.slice(0, first));
  for (let i = first; i < whole.length; i += 3) {
    add('group', ',');
    add('integer', whole.slice(i, i + 3));
  }
}

function exponent(shift, r, add) {
  if (r.notation === 'compact') {
    if (shift === 0) return;
    const long = r.compactDisplay === 'long' && (r.style !== 'currency' || r.currencyDisplay === 'name');
    if (long) add('literal', ' ');
    add('compact', (long ? COMPACT_LONG : r.locale === 'en-GB' ? COMPACT_GB : COMPACT_SHORT)[shift / 3]);
  } else if (r.notation !== 'standard') {
    add('exponentSeparator', 'E');
    if (shift < 0) add('exponentMinusSign', '-');
    add('exponentInteger', String(Math.abs(shift)));
  }
}

function sign(display, negative, zero) {
  switch (display) {
    case 'never': return '';
    case 'always': return negative ? '-' : '+';
    case 'exceptZero': return zero ? '' : negative ? '-' : '+';
    case 'negative': return negative && !zero ? '-' : '';
  }
  return negative ? '-' : '';
}

// decorate puts the sign and what the style asks for around the number.
function decorate(number, mark, form, r) {
  const signed = mark === '' ? [] : [{ type: mark === '-' ? 'minusSign' : 'plusSign', value: mark }];
  switch (r.style) {
    case 'percent': return [...signed, ...number, { type: 'percentSign', value: '%' }];
    case 'currency': return currencyParts(number, signed, mark, form, r);
    case 'unit': return unitParts([...signed, ...number], form, r);
  }
  return [...signed, ...number];
}

function currencyParts(number, signed, mark, form, r) {
  const code = r.currency;
  if (r.currencyDisplay === 'name') {
    const names = NAMES[code];
    const name = names ? names[form === 'one' ? 0 : 1] : code;
    return [...signed, ...number, { type: 'literal', value: ' ' }, { type: 'currency', value: name }];
  }
  const local = r.locale === 'en-GB' ? SYMBOLS_GB[code] : undefined;
  const symbol = (r.currencyDisplay === 'narrowSymbol' ? NARROW[code] : r.currencyDisplay === 'symbol' ? local ?? SYMBOLS[code] : undefined) ?? code;
  const money = [{ type: 'currency', value: symbol }];
  if (/[\p{L}.]$/u.test(symbol) && number[0].type !== 'nan' && number[0].type !== 'infinity') money.push({ type: 'literal', value: NBSP });
  if (r.currencySign === 'accounting' && mark === '-' && !number.some((p) => p.type === 'compact')) {
    return [{ type: 'literal', value: '(' }, ...money, ...number, { type: 'literal', value: ')' }];
  }
  return [...signed, ...money, ...number];
}

function unitParts(number, form, r) {
  const [a, b] = r.unit.split('-per-');
  const index = form === 'one' ? 0 : 1;
  const own = COMPOUND[r.unit];
  const british = r.locale === 'en-GB' ? UNITS_GB : {};
  const u = { ...UNITS[a], ...british[a] };
  let pattern;
  if (r.unitDisplay === 'long') {
    const name = own ? own[2 + index] : index === 0 ? u.name : u.names;
    pattern = `# ${name}${b && !own ? ` per ${british[b]?.name ?? UNITS[b].name}` : ''}`;
  } else {
    const narrow = r.unitDisplay === 'narrow';
    pattern = own ? own[narrow ? 1 : 0] : narrow ? u.narrow : index === 0 ? u.one : u.other;
    if (b && !own) pattern += `/${british[b]?.per ?? PER[b] ?? UNITS[b].one.replace('#', '').trim()}`;
  }
  const name = pattern.slice(1);
  const type = r.unit === 'percent' && r.unitDisplay !== 'long' ? 'percentSign' : 'unit';
  return name[0] === ' ' ? [...number, { type: 'literal', value: ' ' }, { type, value: name.slice(1) }] : [...number, { type, value: name }];
}

export const numberFormat = cached((locales, options) => new NumberFormat(locales, options));

export class PluralRules {
  #r;

  constructor(locales, options) {
    const o = asOptions(options);
    const r = { locale: resolve(locales), type: option(o, 'type', ['cardinal', 'ordinal'], 'cardinal') };
    digitOptions(r, o, 0, 3, false);
    r.roundingMode = option(o, 'roundingMode', MODES, 'halfExpand');
    this.#r = r;
  }

  select(x) {
    const d = decimal(Number(x));
    if (d.special) return 'other';
    const w = written(rounded(d, this.#r), this.#r);
    if (this.#r.type === 'cardinal') return plural(w);
    if (/[1-9]/.test(w.fraction)) return 'other';
    const n = w.whole;
    if (/1[123]$/.test(n)) return 'other';
    return { 1: 'one', 2: 'two', 3: 'few' }[n.at(-1)] ?? 'other';
  }

  selectRange(a, b) {
    this.select(a);
    return this.select(b);
  }

  resolvedOptions() {
    return { ...this.#r, pluralCategories: this.#r.type === 'cardinal' ? ['one', 'other'] : ['few', 'one', 'two', 'other'] };
  }
}
