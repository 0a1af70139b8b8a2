// Compares the Intl of guest/intl with that of Node, which has ICU, over random options and values.
//
//   node build/intl.mjs [rounds]
//
// What differs is printed. For American English that is a handful of odd combinations of options.
import { Collator } from './guest/intl/collator.js';
import { DateTimeFormat } from './guest/intl/date.js';
import { NumberFormat, PluralRules } from './guest/intl/number.js';
import { ListFormat, RelativeTimeFormat } from './guest/intl/words.js';

const rounds = Number(process.argv[2] ?? 20000);
let seed = 1;
function random() { // mulberry32
  seed = (seed + 0x6D2B79F5) | 0;
  let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
  t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
  return ((t ^ t >>> 14) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (p) => random() < p;

const attempt = (f) => {
  try {
    return f();
  } catch (e) {
    return e.name;
  }
};

function compare(what, n, sample) {
  let different = 0;
  for (let i = 0; i < n; i++) {
    const { label, theirs, ours } = sample();
    const [a, b] = [attempt(theirs), attempt(ours)];
    if (a !== b && ++different <= 5) console.log(`  ${what} ${label}: ${JSON.stringify(a)}, here ${JSON.stringify(b)}`);
  }
  console.log(`${what}: ${n - different} of ${n} equal`);
}

const currencies = Intl.supportedValuesOf('currency').filter((c) => /^[A-Z]{3}$/.test(c));
const units = Intl.supportedValuesOf('unit').filter((u) => u !== 'microsecond' && u !== 'nanosecond');
const numbers = [0, -0, 1, -1, 1.005, 0.5, 2.5, -2.5, 1e21, 1e-7, 123456789.987, 999999, 999.95, 0.00012345, NaN, Infinity, 12345, 99999.5, 1e15];

function number(locale) {
  const o = { style: pick(['decimal', 'decimal', 'percent', 'currency', 'currency', 'unit']) };
  if (o.style === 'currency') {
    o.currency = pick(currencies);
    if (chance(0.3)) o.currencyDisplay = pick(['code', 'symbol', 'narrowSymbol']);
    if (chance(0.2)) o.currencySign = 'accounting';
  }
  if (o.style === 'unit') {
    o.unit = pick(units);
    if (chance(0.6)) o.unitDisplay = pick(['short', 'narrow', 'long']);
  }
  if (chance(0.25)) o.notation = pick(['compact', 'compact', 'scientific', 'engineering']);
  if (o.notation === 'compact' && chance(0.4)) o.compactDisplay = 'long';
  if (chance(0.2)) o.minimumFractionDigits = Math.floor(random() * 4);
  if (chance(0.2)) o.maximumFractionDigits = Math.floor(random() * 3) + (o.minimumFractionDigits ?? 0);
  if (chance(0.15)) o.maximumSignificantDigits = 1 + Math.floor(random() * 6);
  if (chance(0.15)) o.useGrouping = pick([true, false, 'min2', 'always', 'auto']);
  if (chance(0.2)) o.signDisplay = pick(['auto', 'never', 'always', 'exceptZero', 'negative']);
  const x = chance(0.5) ? pick(numbers) : (random() - 0.3) * 10 ** Math.floor(random() * 20 - 6);
  return {
    label: `${x} ${JSON.stringify(o)}`,
    theirs: () => new Intl.NumberFormat(locale, o).format(x),
    ours: () => new NumberFormat(locale, o).format(x),
  };
}

function date(locale) {
  const text = ['short', 'long'];
  const digits = ['2-digit', 'numeric'];
  const o = { timeZone: 'UTC' };
  if (chance(0.3)) {
    if (chance(0.8)) o.dateStyle = pick(['full', 'long', 'medium', 'short']);
    if (!o.dateStyle || chance(0.5)) o.timeStyle = pick(['full', 'long', 'medium', 'short']);
  } else {
    // the combinations that interfaces use
    Object.assign(o, pick([
      {}, { year: 'numeric' }, { month: pick(text) }, { month: pick(text), day: pick(digits) }, { year: 'numeric', month: pick(text) },
      { year: 'numeric', month: pick([...text, ...digits]), day: pick(digits) },
      { year: 'numeric', month: pick(text), day: 'numeric', weekday: pick(text) }, { weekday: pick(text) },
      { weekday: pick(text), month: pick(text), day: 'numeric' },
    ]));
    if (chance(0.4)) Object.assign(o, pick([{ hour: 'numeric' }, { hour: 'numeric', minute: '2-digit' }, { hour: '2-digit', minute: '2-digit' },
      { hour: 'numeric', minute: '2-digit', second: '2-digit' }]));
    if (o.hour && chance(0.3)) o.hourCycle = pick(['h12', 'h23']);
  }
  const d = new Date(Math.floor(random() * 4e12) - 5e11);
  return {
    label: `${d.toISOString()} ${JSON.stringify(o)}`,
    theirs: () => new Intl.DateTimeFormat(locale, o).format(d),
    ours: () => new DateTimeFormat(locale, o).format(d),
  };
}

function words(locale) {
  const style = pick(['long', 'short', 'narrow']);
  const numeric = pick(['always', 'auto']);
  const unit = pick(['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']);
  const n = pick([-3, -2, -1, -0, 0, 1, 2, 1.5, 1000]);
  const type = pick(['conjunction', 'disjunction', 'unit']);
  const list = ['a', 'b', 'c', 'd'].slice(0, Math.floor(random() * 5));
  const count = Math.floor(random() * 200);
  const all = (R, L, P) => [new R(locale, { style, numeric }).format(n, unit), new L(locale, { style, type }).format(list),
    new P(locale, { type: 'ordinal' }).select(count), new P(locale).select(count)].join(' | ');
  return {
    label: `${style} ${numeric} ${n} ${unit} ${type} ${list} ${count}`,
    theirs: () => all(Intl.RelativeTimeFormat, Intl.ListFormat, Intl.PluralRules),
    ours: () => all(RelativeTimeFormat, ListFormat, PluralRules),
  };
}

function order() {
  const letters = 'aAbBzZeEäÄáéßøn019 _-.,()#$€\'';
  const word = () => Array.from({ length: Math.floor(random() * 5) }, () => pick([...letters])).join('');
  const o = pick([{}, { numeric: true }, { sensitivity: 'base' }, { sensitivity: 'accent' }, { caseFirst: 'upper' }]);
  const [a, b] = [word(), word()];
  return {
    label: `${JSON.stringify([a, b])} ${JSON.stringify(o)}`,
    theirs: () => Math.sign(new Intl.Collator('en', o).compare(a, b)),
    ours: () => new Collator('en', o).compare(a, b),
  };
}

for (const locale of ['en-US', 'en-GB']) {
  compare(`${locale} numbers`, rounds, () => number(locale));
  compare(`${locale} dates`, rounds, () => date(locale));
  compare(`${locale} words`, rounds, () => words(locale));
}
compare('order', rounds, order);
