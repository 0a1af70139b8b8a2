import { Children, cloneElement, isValidElement, type ReactElement } from 'react';
function Group({ children, size }: any) {
  return (
    <ul data-count={Children.count(children)}>
      {Children.map(children, (child, i) => isValidElement(child) ? <li>{cloneElement(child as ReactElement<any>, { size, index: i })}</li> : <li>{child}</li>)}
    </ul>
  );
}
const Item = ({ size, index, name }: any) => <i>{name}-{size}-{index}</i>;
export default () => <Group size="xl"><Item name="a" />plain<Item name="b" />{null}{[<Item key="k" name="c" />]}</Group>;
