enum Level { Low = 1, High }
class Point { #x = 1; static origin = new Point(); get x() { return this.#x; } static { Point.origin.#x = 7; } accessor y = 2; }
function log(_: unknown, context: ClassMethodDecoratorContext) { return function (this: unknown) { return `decorated ${String(context.name)}`; }; }
class Service { @log run() { return 'plain'; } }
const label = `n:${Level[2]}` satisfies string;
function* range(n: number) { for (let i = 0; i < n; i++) yield i; }
export default function App({ data }: { data?: { list?: number[] } }) {
  const { list = [1, 2, 3], ...rest } = data ?? {};
  let total = 0;
  for (const [i, v] of list.entries()) total += v ** 2 * i;
  outer: for (const a of list) { for (const b of list) { if (a * b === 4) break outer; total += b; } }
  const m = /(?<year>\d{4})-(?<rest>.*)/u.exec('2026-01-01')!;
  return <p>{label} {Point.origin.x} {Point.origin.y} {new Service().run()} {[...range(3)].at(-1)} {total} {m.groups!.year} {Object.keys(rest).length} {data?.list?.[0]?.toFixed(1) ?? 'none'} {list.findLast((x) => x < 3)}</p>;
}
