// Ctrl+Enter runs the cell, and one can write at once. The page works without this.
document.querySelector("#end textarea")?.focus();
document.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) e.target.closest("form")?.requestSubmit();
});
