import { createContext, useContext } from 'react';
const Theme = createContext('light');
const User = createContext<{ name: string } | null>(null);
function Label() {
  const theme = useContext(Theme);
  const user = useContext(User);
  return <span className={theme}>{user?.name ?? 'nobody'}</span>;
}
export default () => (
  <div>
    <Label />
    <Theme.Provider value="dark">
      <Label />
      <User value={{ name: 'Ann' }}><Label /><Theme value="blue"><Label /></Theme></User>
      <Label />
    </Theme.Provider>
    <Theme.Consumer>{(t) => <em>{t}</em>}</Theme.Consumer>
  </div>
);
