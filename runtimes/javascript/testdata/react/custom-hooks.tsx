import { useCallback, useMemo, useReducer, useRef, useState } from 'react';
function useToggle(initial: boolean) {
  const [on, set] = useState(initial);
  return [on, useCallback(() => set((v) => !v), [])] as const;
}
function useList<T>(items: T[], by: (a: T, b: T) => number) {
  return useMemo(() => [...items].sort(by), [items]);
}
function usePrevious<T>(value: T) {
  const ref = useRef<T | undefined>(undefined);
  const last = ref.current;
  ref.current = value;
  return last;
}
type Action = { type: 'add'; by: number } | { type: 'reset' };
const reducer = (n: number, a: Action) => (a.type === 'add' ? n + a.by : 0);
export default function App({ names }: { names: string[] }) {
  const [on] = useToggle(true);
  const sorted = useList(names, (a, b) => (a < b ? -1 : 1));
  const [n, dispatch] = useReducer(reducer, 5, (x) => x * 2);
  const previous = usePrevious(n);
  if (n === 10) dispatch({ type: 'add', by: 7 });
  return <p>{on ? sorted.join(', ') : 'off'} — {n} — {String(previous)}</p>;
}
