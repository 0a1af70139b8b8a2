const Icon = ({ d, size = 24 }: { d: string; size?: number }) => (
  <svg xmlns="http://www.w3.org/2000/svg" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinecap="round" aria-hidden="true" focusable="false"><path d={d} fillRule="evenodd" clipPath="url(#c)" /></svg>
);
export default ({ values }: { values: number[] }) => {
  const max = Math.max(...values);
  const points = values.map((v, i) => `${(i * 100 / (values.length - 1)).toFixed(1)},${(50 - v / max * 50).toFixed(1)}`).join(' ');
  return (
    <figure>
      <Icon d="M4 6h16M4 12h16" />
      <svg viewBox="0 0 100 50" preserveAspectRatio="none">
        <defs><linearGradient id="g" gradientTransform="rotate(90)"><stop offset="0" stopColor="#f00" stopOpacity={0.5} /></linearGradient><clipPath id="c" clipPathUnits="userSpaceOnUse" /></defs>
        <polyline points={points} vectorEffect="non-scaling-stroke" style={{ fill: 'url(#g)' }} />
        <text x={1} y={2} textAnchor="middle" dominantBaseline="central" xmlSpace="preserve"> a  b </text>
        <use xlinkHref="#c" href="#d" />
        <foreignObject requiredExtensions="x"><div>html</div></foreignObject>
        <animate attributeName="x" repeatCount="indefinite" />
      </svg>
    </figure>
  );
};
