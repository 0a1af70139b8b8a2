// Renders in one long-lived process. A line of JSON is answered with a line of HTML. "hot N" renders the props that
// came last N times and is answered with the nanoseconds of each render, as JSON.
const readline = require("node:readline");
const { createElement } = require("react");
const { renderToStaticMarkup } = require("react-dom/server");
const { default: Component } = require("./card.cjs");

let props;
const render = () => renderToStaticMarkup(createElement(Component, props));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  if (!line.startsWith("hot ")) {
    props = JSON.parse(line);
    process.stdout.write(render() + "\n");
    return;
  }
  const times = [];
  for (let n = Number(line.slice(4)); n > 0; n--) {
    const start = process.hrtime.bigint();
    render();
    times.push(Number(process.hrtime.bigint() - start));
  }
  process.stdout.write(JSON.stringify(times) + "\n");
});
