// One render in a fresh process: props on standard input, HTML on standard output.
const { readFileSync } = require("node:fs");
const { createElement } = require("react");
const { renderToStaticMarkup } = require("react-dom/server");
const { default: Component } = require("./card.cjs");

const props = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(renderToStaticMarkup(createElement(Component, props)));
