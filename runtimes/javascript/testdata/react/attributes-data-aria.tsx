export default function Tabs({ active }: { active: number }) {
  return (
    <div role="tablist" data-testid="tabs" data-active={active} data-on={true} data-off={false} data-null={null} aria-label="Tabs">
      {['One', 'Two'].map((t, i) => (
        <button key={t} role="tab" aria-selected={i === active} aria-controls={`panel-${i}`} tabIndex={i === active ? 0 : -1}>{t}</button>
      ))}
    </div>
  );
}
