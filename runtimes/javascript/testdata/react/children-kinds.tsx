import type { ReactNode } from 'react';
const Show = ({ children }: { children?: ReactNode }) => <span>{children}</span>;
export default () => (
  <div>
    <Show>text</Show><Show>{0}</Show><Show>{-1.5}</Show><Show>{NaN}</Show><Show>{10n as any}</Show>
    <Show>{true}</Show><Show>{false}</Show><Show>{null}</Show><Show>{undefined}</Show><Show>{''}</Show>
    <Show>{[1, [2, ['3', null, <b key="x">4</b>]]]}</Show>
    <Show>{new Set(['s', 't'])}</Show>
    a{' '}b{'c'}{1}{2}
  </div>
);
