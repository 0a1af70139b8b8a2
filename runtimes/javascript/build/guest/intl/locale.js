// What the parts of Intl share: locales and options.
//
// Intl here knows English only, as American and as British English. That is what the interpreter can carry: the complete
// polyfills took 1 to 5 ms for each toLocaleString and 5 MiB of memory. Every other locale is answered with the default.

const TAG = /^[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*(-[a-wyz\d](-[a-z\d]{2,8})+)*(-x(-[a-z\d]{1,8})+)?$/i;

function canonical(tag) {
  if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null)) throw new TypeError('Incorrect locale information provided');
  const s = String(tag);
  if (!TAG.test(s)) throw new RangeError(`Incorrect locale information provided: ${s}`);
  return s.split('-').map((part, i, all) => {
    const afterSingleton = all.slice(1, i).some((p) => p.length === 1);
    if (i === 0 || afterSingleton) return part.toLowerCase();
    if (part.length === 4 && /^[a-z]/i.test(part)) return part[0].toUpperCase() + part.slice(1).toLowerCase();
    return part.length === 2 ? part.toUpperCase() : part.toLowerCase();
  }).join('-');
}

export function canonicalLocales(locales) {
  if (locales === undefined) return [];
  return [...new Set((Array.isArray(locales) ? locales : [locales]).map(canonical))];
}

const SUPPORTED = ['en', 'en-US', 'en-GB'];
export const DEFAULT = 'en-US';

// lookup cuts subtags off the end until a locale is known.
function lookup(tag) {
  for (let t = tag.replace(/-u-.*$/, ''); t !== ''; t = t.slice(0, Math.max(t.lastIndexOf('-'), 0))) {
    if (SUPPORTED.includes(t)) return t;
  }
  return undefined;
}

export function resolve(locales) {
  for (const tag of canonicalLocales(locales)) {
    const found = lookup(tag);
    if (found) return found;
  }
  return DEFAULT;
}

export const supportedLocalesOf = (locales) => canonicalLocales(locales).filter(lookup);

export function option(options, name, allowed, fallback) {
  let v = options[name];
  if (v === undefined) return fallback;
  v = String(v);
  if (allowed && !allowed.includes(v)) throw new RangeError(`Value ${v} out of range for Intl options property ${name}`);
  return v;
}

export function integer(options, name, min, max, fallback) {
  const v = options[name];
  if (v === undefined) return fallback;
  const n = Number(v);
  if (!(n >= min && n <= max)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(n);
}

export function asOptions(options) {
  if (options === undefined) return {};
  if (options === null) throw new TypeError('Cannot convert undefined or null to object');
  return Object(options);
}

// cached keeps the formatters that toLocaleString and its like make: making one costs more than using it.
export function cached(make) {
  const formatters = new Map();
  return (locales, options) => {
    const key = `${JSON.stringify(locales) ?? ''}\n${options === undefined ? '' : JSON.stringify(options)}`;
    let f = formatters.get(key);
    if (!f) {
      f = make(locales, options);
      if (formatters.size === 64) formatters.clear();
      formatters.set(key, f);
    }
    return f;
  };
}

// A class of Intl can be called without new, if it is older than the rest, and has a tag and supportedLocalesOf.
export function service(name, Class) {
  Object.defineProperty(Class, 'name', { value: name, configurable: true });
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
  Object.defineProperty(Class, 'supportedLocalesOf', { value: supportedLocalesOf, writable: true, configurable: true });
  return Class;
}

export function callable(Class) {
  const f = new Proxy(Class, { apply: (target, self, args) => new target(...args) });
  Object.defineProperty(Class.prototype, 'constructor', { value: f, writable: true, configurable: true });
  return f;
}
