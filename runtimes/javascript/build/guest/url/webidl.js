// In place of webidl-conversions: the one conversion that whatwg-url uses.
export function USVString(value, options = {}) {
  if (typeof value === 'symbol') throw new TypeError(`${options.context ?? 'The value'} is a symbol, which cannot be converted to a string`);
  return `${value}`.toWellFormed();
}
