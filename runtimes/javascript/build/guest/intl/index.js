// Intl, and the methods of the language that rest on it.
import { define } from '../native.js';
import { Collator, collator } from './collator.js';
import { DateTimeFormat, dateFormats } from './date.js';
import { callable, canonicalLocales, service } from './locale.js';
import { NumberFormat, PluralRules, numberFormat } from './number.js';
import { ListFormat, RelativeTimeFormat } from './words.js';

const Intl = Object.create(Object.prototype, { [Symbol.toStringTag]: { value: 'Intl', configurable: true } });
const add = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

add(Intl, 'getCanonicalLocales', function getCanonicalLocales(locales) { return canonicalLocales(locales); });
add(Intl, 'Collator', callable(service('Collator', Collator)));
add(Intl, 'DateTimeFormat', callable(service('DateTimeFormat', DateTimeFormat)));
add(Intl, 'ListFormat', service('ListFormat', ListFormat));
add(Intl, 'NumberFormat', callable(service('NumberFormat', NumberFormat)));
add(Intl, 'PluralRules', service('PluralRules', PluralRules));
add(Intl, 'RelativeTimeFormat', service('RelativeTimeFormat', RelativeTimeFormat));
define({ Intl });

// methods adds built-in methods, whose this may be a primitive.
function methods(prototype, functions) {
  for (const name of Object.keys(functions)) add(prototype, name, functions[name]);
}

methods(Number.prototype, {
  toLocaleString(locales, options) { return numberFormat(locales, options).format(Number.prototype.valueOf.call(this)); },
});
methods(BigInt.prototype, {
  toLocaleString(locales, options) { return numberFormat(locales, options).format(BigInt.prototype.valueOf.call(this)); },
});
function dateString(date, formats, locales, options) {
  const t = Date.prototype.getTime.call(date);
  return Number.isNaN(t) ? 'Invalid Date' : formats(locales, options).format(t);
}
methods(Date.prototype, {
  toLocaleString(locales, options) { return dateString(this, dateFormats.any, locales, options); },
  toLocaleDateString(locales, options) { return dateString(this, dateFormats.date, locales, options); },
  toLocaleTimeString(locales, options) { return dateString(this, dateFormats.time, locales, options); },
});
methods(String.prototype, {
  localeCompare(that, locales, options) { return collator(locales, options).compare(String(this), String(that)); },
});
