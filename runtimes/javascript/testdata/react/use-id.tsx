import { useId } from 'react';
function Field({ label }: { label: string }) {
  const id = useId();
  const second = useId();
  return <p><label htmlFor={id}>{label}</label><input id={id} aria-describedby={second} /></p>;
}
const Group = () => { const id = useId(); return <fieldset id={id}>{[1, 2, 3].map((n) => <Field key={n} label={`f${n}`} />)}</fieldset>; };
export default () => <form><Field label="one" /><Group /><div><Field label="deep" /></div></form>;
