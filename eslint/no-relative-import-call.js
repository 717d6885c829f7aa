"use strict";

const message = "import() of a file of ours finds compiled files only: use createRequire(__filename).";

/** Restricted syntax of whatever is shipped, which runs compiled and from its source. */
module.exports = [
  { selector: "ImportExpression > Literal.source[value=/^\\.{1,2}(\\u002f|$)/]", message },
  { selector: "ImportExpression > TemplateLiteral.source", message },
];
