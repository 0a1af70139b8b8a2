// Intl.DateTimeFormat for English, in UTC or at a fixed offset from it.
import { asOptions, cached, integer, option, resolve } from './locale.js';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const TEXT = ['narrow', 'short', 'long'];
const NUMERIC = ['2-digit', 'numeric'];
const COMPONENTS = {
  weekday: TEXT, era: TEXT, year: NUMERIC, month: ['2-digit', 'numeric', ...TEXT], day: NUMERIC, dayPeriod: TEXT,
  hour: NUMERIC, minute: NUMERIC, second: NUMERIC,
};
const ZONE_NAMES = ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'];
const STYLES = ['full', 'long', 'medium', 'short'];

const isText = (width) => width === 'long' || width === 'short' || width === 'narrow';
const pad = (n, width = 2) => String(n).padStart(width, '0');

// zone gives the canonical name and the offset in minutes.
function zone(name) {
  if (name === undefined) return ['UTC', 0];
  const s = String(name);
  if (/^(utc|gmt|etc\/(utc|gmt|uct|zulu|universal)|zulu|universal)$/i.test(s)) return ['UTC', 0];
  const m = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(s);
  const minutes = m ? Number(m[2]) * 60 + Number(m[3] ?? 0) : NaN;
  if (!(minutes < 1440)) throw new RangeError(`Invalid time zone specified: ${s}; here are UTC and fixed offsets such as +05:30`);
  return [`${m[1]}${m[2]}:${m[3] ?? '00'}`, m[1] === '-' ? -minutes : minutes];
}

// fields takes a time apart.
function fields(time, offset) {
  const d = new Date(time + offset * 60000);
  const year = d.getUTCFullYear();
  return {
    era: year > 0 ? 1 : 0, year: year > 0 ? year : 1 - year, month: d.getUTCMonth(), day: d.getUTCDate(), weekday: d.getUTCDay(),
    hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: d.getUTCSeconds(), ms: d.getUTCMilliseconds(),
  };
}

const text = (names, i, width) => (width === 'long' ? names[i] : width === 'short' ? names[i].slice(0, 3) : names[i][0]);

function offsetName(offset, long) {
  if (offset === 0) return 'GMT';
  const n = Math.abs(offset);
  const h = Math.floor(n / 60);
  return `GMT${offset < 0 ? '-' : '+'}${long ? pad(h) : h}${n % 60 || long ? ':' + pad(n % 60) : ''}`;
}

function zoneName(width, r) {
  if (width === 'short' || width === 'long') {
    if (r.timeZone === 'UTC') return width === 'short' ? 'UTC' : 'Coordinated Universal Time';
    return offsetName(r.offset, width === 'long');
  }
  return offsetName(r.offset, width === 'longOffset' || width === 'longGeneric');
}

function period(f, width) {
  if (f.hour === 12 && f.minute === 0 && f.second === 0) return width === 'narrow' ? 'n' : 'noon';
  if (f.hour < 12) return 'in the morning';
  return f.hour < 18 ? 'in the afternoon' : f.hour < 21 ? 'in the evening' : 'at night';
}

const ERAS = { narrow: ['B', 'A'], short: ['BC', 'AD'], long: ['Before Christ', 'Anno Domini'] };

// value writes one field.
function value(type, width, f, r) {
  switch (type) {
    case 'weekday': return text(DAYS, f.weekday, width);
    case 'era': return ERAS[width][f.era];
    case 'year': return width === '2-digit' ? pad(f.year % 100) : String(f.year);
    case 'month': return isText(width) ? (width === 'short' && r.british && f.month === 8 ? 'Sept' : text(MONTHS, f.month, width))
      : width === '2-digit' ? pad(f.month + 1) : String(f.month + 1);
    case 'day': return width === '2-digit' ? pad(f.day) : String(f.day);
    case 'hour': {
      const h = { h11: f.hour % 12, h12: f.hour % 12 || 12, h23: f.hour, h24: f.hour || 24 }[r.hourCycle];
      return width === '2-digit' ? pad(h) : String(h);
    }
    case 'minute': return width === '2-digit' ? pad(f.minute) : String(f.minute);
    case 'second': return width === '2-digit' ? pad(f.second) : String(f.second);
    case 'fractionalSecond': return pad(f.ms, 3).slice(0, width).padEnd(width, '0');
    case 'dayPeriod': return width === 'ampm' ? (f.hour < 12 ? r.am : r.pm) : period(f, width);
    case 'timeZoneName': return zoneName(width, r);
  }
  return width; // a literal
}

// A pattern is a list of [type, width]; for a literal, the width is its text.
const literal = (s) => ['literal', s];

function joined(items, separator) {
  const out = [];
  for (const item of items) {
    if (out.length > 0) out.push(literal(separator));
    out.push(...item);
  }
  return out;
}

function datePattern(o, british) {
  const { weekday, era, year, month, day } = o;
  const W = weekday && ['weekday', weekday];
  let D = day && ['day', day];
  let M = month && ['month', month];
  const Y = year && ['year', year];
  let out;
  if (month && isText(month)) {
    if (british) out = joined([[D], [M], [Y]].filter((x) => x[0]), ' ');
    else out = D && Y ? [M, literal(' '), D, literal(', '), Y] : joined([[M], [D], [Y]].filter((x) => x[0]), ' ');
  } else if (month) {
    if (british && (year || (day && month === day))) {
      M = ['month', '2-digit'];
      if (day) D = ['day', '2-digit'];
    }
    out = joined((british ? [[D], [M], [Y]] : [[M], [D], [Y]]).filter((x) => x[0]), '/');
  } else if (Y && D) {
    out = [Y, literal(' (day: '), D, literal(')')];
  } else if (W && D) {
    return british ? [W, literal(' '), D] : [D, literal(' '), W];
  } else {
    out = [Y ?? D].filter(Boolean);
  }
  if (era && out.length > 0) out.push(literal(' '), ['era', era]);
  if (!W) return out.length > 0 ? out : era ? [['era', era]] : [];
  if (out.length === 0) return [W];
  if (D && M) return [W, literal(british && !Y ? ' ' : ', '), ...out];
  return [...out, literal(' '), W];
}

function timePattern(o, r) {
  const { hour, minute, second, fractionalSecondDigits: digits } = o;
  const half = r.hourCycle === 'h11' || r.hourCycle === 'h12';
  const out = [];
  // The 24-hour clock has two digits, but in British English not if other fields have them and this one was not to.
  const short = hour === 'numeric' && (half || (r.british && !r.timeStyle && (minute === '2-digit' || second === '2-digit')));
  if (hour) out.push(['hour', short ? 'numeric' : '2-digit']);
  if (minute) {
    if (hour) out.push(literal(':'));
    out.push(['minute', hour || second ? '2-digit' : 'numeric']);
  }
  if (second) {
    if (minute) out.push(literal(':'));
    else if (hour) return [...out, ...(half ? [literal(' '), ['dayPeriod', 'ampm']] : []), literal(' (second: '), ['second', 'numeric'], literal(')')];
    out.push(['second', minute ? '2-digit' : 'numeric']);
  }
  if (digits) {
    if (second) out.push(literal('.'));
    out.push(['fractionalSecond', digits]);
  }
  if (hour && half) out.push(literal(' '), ['dayPeriod', o.dayPeriod ?? 'ampm']);
  else if (!hour && o.dayPeriod) out.push(['dayPeriod', o.dayPeriod]);
  return out;
}

const DATE_STYLES = {
  full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  long: { year: 'numeric', month: 'long', day: 'numeric' },
  medium: { year: 'numeric', month: 'short', day: 'numeric' },
  short: { year: '2-digit', month: 'numeric', day: 'numeric' },
};
const TIME_STYLES = {
  full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' },
  long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
  medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
  short: { hour: 'numeric', minute: '2-digit' },
};

function pattern(o, r) {
  const c = r.dateStyle || r.timeStyle ? { ...DATE_STYLES[r.dateStyle], ...TIME_STYLES[r.timeStyle] } : o;
  if (r.dateStyle === 'short' && r.british) c.year = 'numeric';
  const date = datePattern(c, r.british);
  const time = timePattern(c, r);
  const name = c.timeZoneName ? [['timeZoneName', c.timeZoneName]] : [];
  const long = r.dateStyle ? r.dateStyle === 'full' || r.dateStyle === 'long' : c.month === 'long';
  if (time.length === 0) return name.length > 0 && date.length > 0 ? [...date, literal(long ? ' at ' : ', '), ...name] : [...date, ...name];
  if (name.length > 0) time.push(literal(c.hour && !c.minute && r.british && r.hourCycle === 'h23' ? 'h ' : ' '), ...name);
  if (date.length === 0) return time;
  // A weekday alone stands before hours and minutes without a comma.
  const close = c.weekday && !c.day && !c.month && !c.year && name.length === 0 && (c.minute || !r.british) &&
    !c.fractionalSecondDigits && (c.minute || r.hourCycle === 'h12');
  return [...date, literal(long ? ' at ' : close ? ' ' : ', '), ...time];
}

// required and defaults are those of the method that makes the format: date, time or any; date, time or all.
export class DateTimeFormat {
  #r;
  #components = {};
  #pattern;
  #bound;

  constructor(locales, options, required = 'any', defaults = 'date') {
    const o = asOptions(options);
    const r = { locale: resolve(locales), calendar: 'gregory', numberingSystem: 'latn' };
    [r.timeZone, r.offset] = zone(o.timeZone);
    r.british = r.locale === 'en-GB';
    [r.am, r.pm] = r.british ? ['am', 'pm'] : ['AM', 'PM'];
    const c = this.#components;
    for (const [name, allowed] of Object.entries(COMPONENTS)) c[name] = option(o, name, allowed, undefined);
    c.fractionalSecondDigits = integer(o, 'fractionalSecondDigits', 1, 3, undefined);
    c.timeZoneName = option(o, 'timeZoneName', ZONE_NAMES, undefined);
    const cycle = option(o, 'hourCycle', ['h11', 'h12', 'h23', 'h24'], undefined);
    r.hourCycle = o.hour12 === undefined ? cycle ?? (r.british ? 'h23' : 'h12') : o.hour12 ? 'h12' : 'h23';
    r.dateStyle = option(o, 'dateStyle', STYLES, undefined);
    r.timeStyle = option(o, 'timeStyle', STYLES, undefined);
    const explicit = Object.keys(c).find((k) => c[k] !== undefined);
    if (r.dateStyle || r.timeStyle) {
      if (explicit) throw new TypeError(`Can't set option ${explicit} when ${r.dateStyle ? 'dateStyle' : 'timeStyle'} is used`);
      if (required === 'date' && r.timeStyle) throw new TypeError('Invalid option : timeStyle');
      if (required === 'time' && r.dateStyle) throw new TypeError('Invalid option : dateStyle');
    } else {
      const has = (names) => names.some((n) => c[n] !== undefined);
      const some = (required !== 'time' && has(['weekday', 'year', 'month', 'day'])) ||
        (required !== 'date' && has(['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits']));
      if (!some && defaults !== 'time') c.year = c.month = c.day = 'numeric';
      if (!some && defaults !== 'date') c.hour = c.minute = c.second = 'numeric';
    }
    this.#r = r;
    this.#pattern = pattern(c, r);
  }

  get format() {
    this.#bound ??= (date) => {
      let out = '';
      const f = this.#fields(date);
      for (const [type, width] of this.#pattern) out += value(type, width, f, this.#r);
      return out;
    };
    return this.#bound;
  }

  formatToParts(date) {
    const f = this.#fields(date);
    const parts = [];
    for (const [type, width] of this.#pattern) {
      const v = value(type, width, f, this.#r);
      if (type === 'literal' && parts.at(-1)?.type === 'literal') parts.at(-1).value += v;
      else parts.push({ type, value: v });
    }
    return parts;
  }

  formatRange(a, b) {
    if (a === undefined || b === undefined) throw new TypeError('startDate or endDate cannot be undefined');
    const x = this.format(a);
    const y = this.format(b);
    return x === y ? x : `${x} – ${y}`;
  }

  resolvedOptions() {
    const { british, am, pm, offset, hourCycle, dateStyle, timeStyle, ...r } = this.#r;
    if (this.#pattern.some(([type]) => type === 'hour')) {
      r.hourCycle = hourCycle;
      r.hour12 = hourCycle === 'h11' || hourCycle === 'h12';
    }
    for (const [k, v] of Object.entries({ ...this.#components, dateStyle, timeStyle })) if (v !== undefined) r[k] = v;
    return r;
  }

  #fields(date) {
    const t = date === undefined ? Date.now() : Number(date);
    if (!(Math.abs(t) <= 8.64e15)) throw new RangeError('Invalid time value');
    return fields(t, this.#r.offset);
  }
}

export const dateFormats = {
  any: cached((locales, options) => new DateTimeFormat(locales, options, 'any', 'all')),
  date: cached((locales, options) => new DateTimeFormat(locales, options, 'date', 'date')),
  time: cached((locales, options) => new DateTimeFormat(locales, options, 'time', 'time')),
};
