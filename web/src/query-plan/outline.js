// From the plan in an answer to what the panel lists. The plan's form: docs/plan.md, the fetches': docs/router.md.

/**
 * Return the plan as nested entries, in its own order: `{heading, entries}` for what holds others together,
 * `{fetch, document, places}` for a request.
 */
export function outlinePlan({ plan, fetches }) {
  // Requests are numbered in the order in which the plan is written.
  let number = 0;

  const request = ({ document }, paths) => {
    const fetch = fetches[number];
    number += 1;
    return [{ fetch, document, places: paths.map((path) => path.join('.')) }];
  };
  const group = (heading, nodes) => [{ heading, entries: nodes.flatMap(outline) }];
  const branch = (heading, node) => (node ? group(heading, [node]) : []);

  function outline(node) {
    switch (node.kind) {
      case 'Fetch':
        return request(node, []);
      case 'Flatten':
        return request(node.node, [node.path]);
      case 'BatchFetch':
        return request(
          node,
          node.parts.flatMap((part) => part.paths),
        );
      case 'Sequence':
        return group('One after the other', node.nodes);
      case 'Parallel':
        return group('At the same time', node.nodes);
      case 'Condition':
        return [...branch(`If $${node.variable}`, node.then), ...branch(`Unless $${node.variable}`, node.otherwise)];
      case 'Defer':
        return [
          ...branch('For the first part', node.primary),
          ...node.blocks.flatMap((block) => branch(describeBlock(block), block.node)),
        ];
      default:
        // A newer router may have kinds of nodes that this page does not know.
        return group(node.kind, []);
    }
  }

  return plan ? outline(plan) : [];
}

function describeBlock({ deferrals, waitsFor }) {
  const uses = deferrals.map(({ label, path }) => label ?? (path.join('.') || 'the root'));
  return `Deferred: ${uses.join(', ')}${waitsFor.length ? ` (after fetch ${waitsFor.join(', ')})` : ''}`;
}
