import { Suspense, lazy, use } from 'react';
const never = new Promise<string>(() => {});
const Slow = () => <b>{use(never)}</b>;
const Lazy = lazy(() => new Promise<{ default: () => null }>(() => {}));
export default () => (
  <div>
    <Suspense fallback={<i>waiting</i>}><Slow /></Suspense>
    <Suspense fallback="lazy"><Lazy /></Suspense>
    <Suspense fallback={<i>outer</i>}><p>ready</p><Suspense fallback="inner"><Slow /></Suspense></Suspense>
  </div>
);
