export default ({ name }: { name: string }) => (
  <p lang="ja" title={name}>{name} — 日本語 · עברית · 👩‍👩‍👧‍👦 {'\u{1F600}'} {name.toUpperCase()} {[...name].length}/{name.length} {name.normalize('NFD').length}</p>
);
