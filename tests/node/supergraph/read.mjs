// Reads supergraph SDL from standard input with Apollo's implementation; prints {apiSchema, subgraphs, plans} as JSON.
// Arguments: operations to plan, each one GraphQL document.
import { readFileSync } from "node:fs";
import { QueryPlanner, prettyFormatQueryPlan } from "@apollo/query-planner";
import { Supergraph, operationFromDocument } from "@apollo/federation-internals";
import { parse, printSchema, lexicographicSortSchema } from "graphql";

const supergraph = Supergraph.build(readFileSync(0, "utf8"), { supportedFeatures: null });
const api = supergraph.apiSchema();
const planner = new QueryPlanner(supergraph);
const plans = process.argv.slice(2).map((text) =>
  prettyFormatQueryPlan(planner.buildQueryPlan(operationFromDocument(api, parse(text)))),
);
process.stdout.write(
  JSON.stringify({
    apiSchema: printSchema(lexicographicSortSchema(api.toGraphQLJSSchema())),
    subgraphs: supergraph.subgraphsMetadata().map((subgraph) => subgraph.name).sort(),
    plans,
  }),
);
