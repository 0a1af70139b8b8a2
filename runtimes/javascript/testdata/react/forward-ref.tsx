import { forwardRef, useImperativeHandle, useRef } from 'react';
const Input = forwardRef<HTMLInputElement, { label: string }>(function Input({ label }, ref) {
  return <label>{label}<input ref={ref} /></label>;
});
const Fancy = forwardRef(function Fancy(_: {}, ref) {
  useImperativeHandle(ref, () => ({ focus() {} }));
  return <hr />;
});
const Modern = ({ ref, ...rest }: any) => <input ref={ref} {...rest} />;
export default function App() {
  const a = useRef<HTMLInputElement>(null);
  const b = useRef(null);
  return <div><Input ref={a} label="A" /><Fancy ref={b} /><Modern ref={a} name="m" /></div>;
}
