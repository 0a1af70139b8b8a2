// What CLDR says about English numbers, for the currencies and units that interfaces show.

// Digits behind the point, where there are not two.
export const DIGITS = { __proto__: null };
for (const code of ('AFN ALL BIF CLP COP DJF GNF HUF IDR IQD IRR ISK JPY KMF KPW KRW LAK LBP MGA MMK PKR PYG RWF SLL SOS SYP UGX VND ' +
  'VUV XAF XOF XPF YER').split(' ')) DIGITS[code] = 0;
for (const code of ['BHD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']) DIGITS[code] = 3;

export const SYMBOLS = {
  __proto__: null,
  USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', BRL: 'R$', CAD: 'CA$', AUD: 'A$', MXN: 'MX$',
  NZD: 'NZ$', HKD: 'HK$', TWD: 'NT$', ILS: '₪', VND: '₫', PHP: '₱', XAF: 'FCFA', XOF: 'F\u202fCFA', XPF: 'CFPF', XCD: 'EC$', XCG: 'Cg.',
};

// in British English
export const SYMBOLS_GB = { __proto__: null, USD: 'US$', JPY: 'JP¥' };

export const NARROW = { __proto__: null, ...SYMBOLS };
for (const [symbol, codes] of Object.entries({
  $: 'ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUC CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD UYU XCD',
  kr: 'DKK ISK NOK SEK', Rs: 'LKR MUR NPR PKR', '£': 'FKP GIP SHP SSP SYP', K: 'MMK', '¥': 'CNY', '₩': 'KPW',
  '؋': 'AFN', '֏': 'AMD', Kz: 'AOA', '₼': 'AZN', KM: 'BAM', '৳': 'BDT', Bs: 'BOB', P: 'BWP', '₡': 'CRC', 'Kč': 'CZK',
  'E£': 'EGP', '₾': 'GEL', 'GH₵': 'GHS', FG: 'GNF', Q: 'GTQ', L: 'HNL', kn: 'HRK', Ft: 'HUF', Rp: 'IDR', '⃀': 'KGS', '៛': 'KHR',
  CF: 'KMF', '₸': 'KZT', '₭': 'LAK', 'L£': 'LBP', Ar: 'MGA', '₮': 'MNT', RM: 'MYR', '₦': 'NGN', 'C$': 'NIO', 'zł': 'PLN',
  '₲': 'PYG', lei: 'RON', '₽': 'RUB', RF: 'RWF', Db: 'STN', '฿': 'THB', 'T$': 'TOP', '₺': 'TRY', '₴': 'UAH', R: 'ZAR', ZK: 'ZMW',
})) for (const code of codes.split(' ')) NARROW[code] = symbol;

// singular and plural
export const NAMES = {
  __proto__: null,
  USD: ['US dollar', 'US dollars'], EUR: ['euro', 'euros'], GBP: ['British pound', 'British pounds'],
  JPY: ['Japanese yen', 'Japanese yen'], INR: ['Indian rupee', 'Indian rupees'], CNY: ['Chinese yuan', 'Chinese yuan'],
  KRW: ['South Korean won', 'South Korean won'], BRL: ['Brazilian real', 'Brazilian reals'],
  CAD: ['Canadian dollar', 'Canadian dollars'], AUD: ['Australian dollar', 'Australian dollars'],
  NZD: ['New Zealand dollar', 'New Zealand dollars'], MXN: ['Mexican peso', 'Mexican pesos'],
  CHF: ['Swiss franc', 'Swiss francs'], SEK: ['Swedish krona', 'Swedish kronor'], NOK: ['Norwegian krone', 'Norwegian kroner'],
  DKK: ['Danish krone', 'Danish kroner'], PLN: ['Polish zloty', 'Polish zlotys'], CZK: ['Czech koruna', 'Czech korunas'],
  HUF: ['Hungarian forint', 'Hungarian forints'], RUB: ['Russian ruble', 'Russian rubles'],
  TRY: ['Turkish lira', 'Turkish Lira'], UAH: ['Ukrainian hryvnia', 'Ukrainian hryvnias'],
  ZAR: ['South African rand', 'South African rand'], SGD: ['Singapore dollar', 'Singapore dollars'],
  HKD: ['Hong Kong dollar', 'Hong Kong dollars'], TWD: ['New Taiwan dollar', 'New Taiwan dollars'],
  ILS: ['Israeli new shekel', 'Israeli new shekels'], THB: ['Thai baht', 'Thai baht'], VND: ['Vietnamese dong', 'Vietnamese dong'],
  AED: ['UAE dirham', 'UAE dirhams'], SAR: ['Saudi riyal', 'Saudi riyals'], KWD: ['Kuwaiti dinar', 'Kuwaiti dinars'],
  EGP: ['Egyptian pound', 'Egyptian pounds'], NGN: ['Nigerian naira', 'Nigerian nairas'], KES: ['Kenyan shilling', 'Kenyan shillings'],
  IDR: ['Indonesian rupiah', 'Indonesian rupiahs'], MYR: ['Malaysian ringgit', 'Malaysian ringgits'], PHP: ['Philippine peso', 'Philippine pesos'],
  PKR: ['Pakistani rupee', 'Pakistani rupees'], BDT: ['Bangladeshi taka', 'Bangladeshi takas'], ARS: ['Argentine peso', 'Argentine pesos'],
  CLP: ['Chilean peso', 'Chilean pesos'], COP: ['Colombian peso', 'Colombian pesos'], RON: ['Romanian leu', 'Romanian lei'],
  BGN: ['Bulgarian lev', 'Bulgarian leva'], ISK: ['Icelandic króna', 'Icelandic krónur'],
};

// unit: short one, short other, narrow, long one, long other. Short and narrow hold the number as #.
const U = (one, other, narrow, name, names) => ({ one, other, narrow, name, names: names ?? name + 's' });
const same = (s, narrow, name, names) => U(s, s, narrow, name, names);
export const UNITS = {
  __proto__: null,
  acre: same('# ac', '#ac', 'acre'), bit: same('# bit', '#bit', 'bit'), byte: same('# byte', '#B', 'byte'),
  celsius: same('#°C', '#°C', 'degree Celsius', 'degrees Celsius'), centimeter: same('# cm', '#cm', 'centimeter'),
  day: U('# day', '# days', '#d', 'day'), degree: same('# deg', '#°', 'degree'),
  fahrenheit: same('#°F', '#°', 'degree Fahrenheit', 'degrees Fahrenheit'),
  'fluid-ounce': same('# fl oz', '#fl oz', 'fluid ounce'), foot: same('# ft', '#′', 'foot', 'feet'),
  gallon: same('# gal', '#gal', 'gallon'), gigabit: same('# Gb', '#Gb', 'gigabit'), gigabyte: same('# GB', '#GB', 'gigabyte'),
  gram: same('# g', '#g', 'gram'), hectare: same('# ha', '#ha', 'hectare'), hour: same('# hr', '#h', 'hour'),
  inch: same('# in', '#″', 'inch', 'inches'), kilobit: same('# kb', '#kb', 'kilobit'), kilobyte: same('# kB', '#kB', 'kilobyte'),
  kilogram: same('# kg', '#kg', 'kilogram'), kilometer: same('# km', '#km', 'kilometer'), liter: same('# L', '#L', 'liter'),
  megabit: same('# Mb', '#Mb', 'megabit'), megabyte: same('# MB', '#MB', 'megabyte'), meter: same('# m', '#m', 'meter'),
  mile: same('# mi', '#mi', 'mile'), 'mile-scandinavian': same('# smi', '#smi', 'mile-scandinavian', 'miles-scandinavian'),
  milliliter: same('# mL', '#mL', 'milliliter'), millimeter: same('# mm', '#mm', 'millimeter'),
  millisecond: same('# ms', '#ms', 'millisecond'), minute: same('# min', '#m', 'minute'),
  month: U('# mth', '# mths', '#m', 'month'), ounce: same('# oz', '#oz', 'ounce'), percent: same('#%', '#%', 'percent', 'percent'),
  petabyte: same('# PB', '#PB', 'petabyte'), pound: same('# lb', '##', 'pound'), second: same('# sec', '#s', 'second'),
  stone: same('# st', '#st', 'stone', 'stones'), terabit: same('# Tb', '#Tb', 'terabit'), terabyte: same('# TB', '#TB', 'terabyte'),
  week: U('# wk', '# wks', '#w', 'week'), yard: same('# yd', '#yd', 'yard'), year: U('# yr', '# yrs', '#y', 'year'),
};

// What is otherwise in British English.
const metre = (prefix) => ({ name: `${prefix}metre`, names: `${prefix}metres` });
export const UNITS_GB = {
  __proto__: null,
  meter: metre(''), centimeter: metre('centi'), kilometer: metre('kilo'), millimeter: metre('milli'),
  liter: { one: '# l', other: '# l', narrow: '#l', name: 'litre', names: 'litres', per: 'l' },
  milliliter: { one: '# ml', other: '# ml', narrow: '#ml', name: 'millilitre', names: 'millilitres' },
  fahrenheit: { narrow: '#°F' }, percent: { name: 'per cent', names: 'per cent' },
  'mile-scandinavian': { name: 'Scandinavian mile', names: 'Scandinavian miles' }, pound: { narrow: '#lb' }, stone: { names: 'stone' },
  minute: { other: '# mins' }, second: { other: '# secs' }, hour: { other: '# hrs' },
  gallon: { one: '# US gal', other: '# US gal', narrow: '#USgal', name: 'US gallon', names: 'US gallons' },
  'fluid-ounce': { one: '# US fl oz', other: '# US fl oz', narrow: '#US fl oz', name: 'US fluid ounce', names: 'US fluid ounces' },
};

// What stands behind the slash of a compound unit.
export const PER = {
  __proto__: null, hour: 'h', second: 's', minute: 'min', day: 'd', week: 'w', month: 'm', year: 'y', liter: 'L', kilogram: 'kg',
};
// Compound units with a form of their own: short, narrow, long one, long other.
export const COMPOUND = {
  __proto__: null,
  'mile-per-hour': ['# mph', '#mph', 'mile per hour', 'miles per hour'],
  'mile-per-gallon': ['# mpg', '#mpg', 'mile per gallon', 'miles per gallon'],
};

export const COMPACT_SHORT = ['', 'K', 'M', 'B', 'T'];
export const COMPACT_GB = ['', 'k', 'm', 'bn', 'tn'];
export const COMPACT_LONG = ['', 'thousand', 'million', 'billion', 'trillion'];
