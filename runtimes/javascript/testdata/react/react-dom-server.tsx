import { renderToStaticMarkup, renderToString } from 'react-dom/server';
const Mail = ({ to }: { to: string }) => <p>Dear {to}, <b>hello</b></p>;
export default () => (
  <div>
    <pre>{renderToStaticMarkup(<Mail to="A & B" />)}</pre>
    <pre>{renderToString(<Mail to="C" />)}</pre>
  </div>
);
