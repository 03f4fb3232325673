// Times Apollo's planner on many operations of many supergraphs, in one process.
// Standard input: JSON [{supergraph: SDL, operations: [GraphQL document, ...]}, ...]; the one argument is how often each
// operation is planned at most. The best processor time counts; once they took two seconds, no more are made.
// Prints JSON of the same shape: {read_ms, plans}, where plans has {ms, fetches} or {error} for each operation. Parsing
// the document is not timed, making Apollo's operation of it is.
import { readFileSync } from "node:fs";
import { QueryPlanner } from "@apollo/query-planner";
import { Supergraph, operationFromDocument } from "@apollo/federation-internals";
import { parse } from "graphql";

const PATIENCE_MS = 2000;
const rounds = Number(process.argv[2]);

function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function countFetches(node) {
  switch (node?.kind) {
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
      return 0;
  }
}

function read(sdl) {
  const start = processorMs();
  const supergraph = Supergraph.build(sdl, { supportedFeatures: null });
  const api = supergraph.schema.toAPISchema({ includeDefer: true });
  const planner = new QueryPlanner(supergraph, { incrementalDelivery: { enableDefer: true } });
  return { api, planner, readMs: processorMs() - start };
}

function timePlan({ api, planner }, text) {
  const document = parse(text);
  const times = [];
  let plan;
  try {
    for (let spent = 0; times.length < rounds && spent < PATIENCE_MS; spent += times.at(-1)) {
      const start = processorMs();
      plan = planner.buildQueryPlan(operationFromDocument(api, document));
      times.push(processorMs() - start);
    }
  } catch (error) {
    return { error: String(error.message) };
  }
  return { ms: Math.min(...times), fetches: countFetches(plan.node) };
}

const questions = JSON.parse(readFileSync(0, "utf8"));
const graphs = questions.map(({ supergraph }) => read(supergraph));
const plan = () => questions.map(({ operations }, number) => operations.map((text) => timePlan(graphs[number], text)));
// The first time is for the compiler, where there is more than one operation
if (questions.length > 1) plan();
const plans = plan();
const readAgain = questions.length > 1 ? questions.map(({ supergraph }) => read(supergraph)) : graphs;
process.stdout.write(
  JSON.stringify(questions.map((_, number) => ({ read_ms: readAgain[number].readMs, plans: plans[number] }))),
);
