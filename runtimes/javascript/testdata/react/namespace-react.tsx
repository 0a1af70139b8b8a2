import * as React from 'react';
import ReactDefault, { createElement as h } from 'react';
const { Fragment, useState } = React;
export default function App() {
  const [x] = useState('s');
  return h(Fragment, null, h('p', { className: x }, 'a', ['b', 'c']), React.createElement('br'), ReactDefault.version.split('.')[0] === '19' ? h('i') : null);
}
