import { memo } from 'react';
const Price = memo(({ value }: { value: number }) => <b>{value.toFixed(2)}</b>, (a, b) => a.value === b.value);
const Nested = memo(memo(function Inner() { return <i>inner</i>; }));
Price.displayName = 'Price';
export default memo(function Root({ prices }: { prices: number[] }) {
  return <p>{prices.map((p, i) => <Price key={i} value={p} />)}<Nested /></p>;
});
