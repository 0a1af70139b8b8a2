export default () => (
  <my-card class="c" data-x="1" someProp="s" enabled disabled={false} count={3} obj={{ a: 1 } as any} onClick={() => {}} style={{ color: 'red' }}>
    <span slot="title">T</span>
    <x-y className="k" />
  </my-card>
);
declare global { namespace JSX { interface IntrinsicElements { [name: string]: any } } }
