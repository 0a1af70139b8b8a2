// Constants that a compiler might fold: huge shifts, powers and repetitions.
// class: compile
// expect: text fine 7
// compile:
const big = () => 10n ** 10n ** 9n + (1n << 4000000000n);
const long = () => 'x'.repeat(2 ** 29) + 'y'.repeat(2 ** 29);
export const render = (p) => `fine ${p.n}`;
