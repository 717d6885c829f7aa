"use strict";

/**
 * Forbids class fields with an initialiser, except `static readonly` ones. moleculer-decorators instantiates a service
 * class once and copies its own fields into the schema, so an initialised field is one value shared by every broker of
 * the process. Declare the field (`declare rooms: Map<string, Room>`) and set it in `created()`.
 *
 * @type {import("eslint").Rule.RuleModule}
 */
module.exports = {
  meta: {
    type: "problem",
    docs: { description: "forbid initialised fields in service classes" },
    messages: {
      shared:
        "'{{name}}' would be shared by every broker of the process. Declare it ('declare {{name}}: ...') and set it in created().",
    },
    schema: [],
  },
  create(context) {
    const check = (node) => {
      if (!node.value || (node.static && node.readonly)) return;
      context.report({ node, messageId: "shared", data: { name: context.sourceCode.getText(node.key) } });
    };
    return { PropertyDefinition: check, AccessorProperty: check };
  },
};
