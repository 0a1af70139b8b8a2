import { useActionState, useCallback, useDebugValue, useDeferredValue, useEffect, useId, useInsertionEffect, useLayoutEffect, useMemo,
  useOptimistic, useReducer, useRef, useState, useSyncExternalStore, useTransition } from 'react';
import { useFormStatus } from 'react-dom';
const store = { subscribe: () => () => {}, get: () => 'client', server: () => 'server' };
export default function All() {
  const [a, setA] = useState(() => 1);
  const [r] = useReducer((x: number) => x + 1, 10);
  const ref = useRef('r');
  const memo = useMemo(() => a + 1, [a]);
  const call = useCallback(() => setA(2), []);
  const deferred = useDeferredValue('now', 'initial');
  const [pending] = useTransition();
  const snap = useSyncExternalStore(store.subscribe, store.get, store.server);
  const [optimistic] = useOptimistic('o');
  const [state] = useActionState(async () => 's2', 's1');
  const { pending: submitting } = useFormStatus();
  useDebugValue('x');
  useEffect(() => { throw new Error('effect'); });
  useLayoutEffect(() => { throw new Error('layout'); });
  useInsertionEffect(() => { throw new Error('insertion'); });
  return <p onClick={call}>{[a, r, ref.current, memo, deferred, pending, snap, optimistic, state, submitting].join(' ')} {useId()}</p>;
}
