// Makes garbage of every kind around objects that are older than the capture: cycles, classes, functions, regular
// expressions, weak references, suspended generators. Whatever the collector does, render's answer is the same.

function* counter() {
  for (let n = 0; ; n++) yield { n, list: [n] };
}
async function* slowCounter() {
  for (let n = 0; ; n++) yield n;
}
const numbers = counter();
numbers.next();
const slowNumbers = slowCounter();
const { promise: signal, resolve } = Promise.withResolvers<number>();
const waiting = (async () => (await signal) + 1)();
let calls = 0;
const count = (() => () => ++calls)();

const keys = Array.from({ length: 50 }, (_, i) => ({ i }) as { i: unknown });
const map = new Map<unknown, unknown>(keys.map((k) => [k, { k }]));
const weak = new WeakMap<object, unknown>(keys.map((k) => [k, [k]]));
const set = new Set<string>();
const references: WeakRef<object>[] = [];
const registry = new FinalizationRegistry(() => {});
const recent: unknown[] = [];
let text = 'x';

class Link {
  #secret = {};
  next: Link | null = null;
  constructor(public data: any) {}
}

function churn() {
  const kept: Link[] = [];
  for (let i = 0; i < 3000; i++) {
    const a = new Link({ i });
    const b = new Link([i]);
    a.next = b;
    b.next = a;
    a.data.self = a;
    if (i % 100 === 0) { // young objects in old ones
      kept.push(a);
      keys[i % 50].i = a;
      map.set(a, b);
      map.delete(kept[kept.length - 2]);
      weak.set(a, b);
      references.push(new WeakRef(b));
      if (references.length > 50) references.shift();
      registry.register(b, i);
    }
    new Function('a', `return a + ${i % 7}`)(i);
    if (/(\d+)-(?<word>[a-z]+)/u.exec(`${i}-abc`)!.groups!.word !== 'abc') throw new Error('no match');
    text = (text + i).slice(-20);
    const o: Record<string, unknown> = { [`k${i % 500}`]: i };
    delete o[`k${i % 500}`];
    Object.setPrototypeOf(o, i % 2 ? Link.prototype : Object.prototype);
    recent[i % 100] = o;
    set.add(`s${i % 1000}`);
    if (i % 1000 === 999) set.clear();
    void [BigInt(i) ** 5n, Symbol(`s${i}`), [...'añ😀'].map((c) => c.normalize('NFD'))];
    try {
      if (i % 50 === 0) throw new Error(`e${i}`);
    } catch (e) {
      void (e as Error).stack;
    }
  }
}

export async function render({ rounds }: { rounds: number }) {
  resolve(41);
  const results: unknown[] = [];
  for (let i = 0; i < rounds; i++) {
    churn();
    results.push(numbers.next().value!.n, (await slowNumbers.next()).value, count());
  }
  return [results.slice(-3), await waiting, map.size > 40, keys.every((k) => weak.has(k)), text.length, references.length];
}
