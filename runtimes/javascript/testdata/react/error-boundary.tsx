import { Component, Suspense, type ReactNode } from 'react';
class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  state = { failed: false };
  static getDerivedStateFromError() { return { failed: true }; }
  render() { return this.state.failed ? <p>failed</p> : this.props.children; }
}
function Sometimes({ fail }: { fail: boolean }): ReactNode {
  if (fail) throw new Error('no');
  return <b>fine</b>;
}
// A server renders no boundaries; a Suspense around what throws shows its fallback.
export default () => (
  <main>
    <Boundary><Sometimes fail={false} /></Boundary>
    <Suspense fallback={<i>instead</i>}><Sometimes fail={true} /></Suspense>
  </main>
);
