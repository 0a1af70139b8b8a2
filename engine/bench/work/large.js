const rows = Array.from({ length: 150_000 }, (_, id) => ({ id, name: "row " + id, tags: [id % 7] }));

export function render() {
  return rows[rows.length - 1].id === 149_999 ? "ok" : "lost";
}
