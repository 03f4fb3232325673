// Plans many operations of many supergraphs in one process with Apollo's planner.
// Standard input: JSON [{supergraph: SDL, operations: [GraphQL document, ...]}, ...].
// Prints JSON of the same shape: for each supergraph a list of {fetches, depth} or {error}, one for each operation.
import { readFileSync } from "node:fs";
import { QueryPlanner } from "@apollo/query-planner";
import { Supergraph, operationFromDocument } from "@apollo/federation-internals";
import { parse } from "graphql";

const isAbsent = (node) => node === undefined || node === null;

// Requests at most: of a condition's branches only one runs.
function countFetches(node) {
  if (isAbsent(node)) return 0;
  switch (node.kind) {
    case "Fetch":
      return 1;
    case "Flatten":
      return countFetches(node.node);
    case "Sequence":
    case "Parallel":
      return node.nodes.reduce((sum, one) => sum + countFetches(one), 0);
    case "Condition":
      return Math.max(countFetches(node.ifClause), countFetches(node.elseClause));
    case "Subscription":
      return countFetches(node.primary) + countFetches(node.rest);
    case "Defer":
      return node.deferred.reduce((sum, block) => sum + countFetches(block.node), countFetches(node.primary.node));
    default:
      throw new Error(`unknown node ${node.kind}`);
  }
}

// Requests that wait for each other in the longest chain.
function measureDepth(node) {
  if (isAbsent(node)) return 0;
  switch (node.kind) {
    case "Fetch":
      return 1;
    case "Flatten":
      return measureDepth(node.node);
    case "Sequence":
      return node.nodes.reduce((sum, one) => sum + measureDepth(one), 0);
    case "Parallel":
      return Math.max(...node.nodes.map(measureDepth));
    case "Condition":
      return Math.max(measureDepth(node.ifClause), measureDepth(node.elseClause));
    case "Subscription":
      return measureDepth(node.primary) + measureDepth(node.rest);
    case "Defer":
      return noteEnds(node, 0, new Map());
    default:
      throw new Error(`unknown node ${node.kind}`);
  }
}

// Notes in `ends` how deep each request with an id ends, and returns how deep the node does. What is deferred begins when
// the requests that it depends on are through.
function noteEnds(node, start, ends) {
  if (isAbsent(node)) return start;
  switch (node.kind) {
    case "Fetch":
      if (node.id !== undefined) ends.set(node.id, start + 1);
      return start + 1;
    case "Flatten":
      return noteEnds(node.node, start, ends);
    case "Sequence":
      return node.nodes.reduce((end, one) => noteEnds(one, end, ends), start);
    case "Parallel":
      return Math.max(...node.nodes.map((one) => noteEnds(one, start, ends)));
    case "Condition":
      return Math.max(noteEnds(node.ifClause, start, ends), noteEnds(node.elseClause, start, ends));
    case "Defer": {
      let deepest = noteEnds(node.primary.node, start, ends);
      for (const block of node.deferred) {
        const begin = Math.max(start, ...block.depends.map(({ id }) => ends.get(id) ?? 0));
        deepest = Math.max(deepest, noteEnds(block.node, begin, ends));
      }
      return deepest;
    }
    default:
      throw new Error(`unknown node ${node.kind}`);
  }
}

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ supergraph: sdl, operations }) => {
  const supergraph = Supergraph.build(sdl, { supportedFeatures: null });
  const api = supergraph.schema.toAPISchema({ includeDefer: true });
  const planner = new QueryPlanner(supergraph, { incrementalDelivery: { enableDefer: true } });
  return operations.map((text) => {
    try {
      const { node } = planner.buildQueryPlan(operationFromDocument(api, parse(text)));
      return { fetches: countFetches(node), depth: measureDepth(node) };
    } catch (error) {
      return { error: String(error.message) };
    }
  });
});
process.stdout.write(JSON.stringify(answers));
