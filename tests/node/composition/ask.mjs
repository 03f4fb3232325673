// Reads a JSON list of cases (each a list of [subgraph name, SDL]) from standard input and writes what each
// implementation makes of them: {codes} when it refuses, {supergraph, api, hints} when it composes.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// Both packages load graphql through require; loading it through import as well would give two instances of it.
const require = createRequire(import.meta.url);
const { parse, printSchema } = require('graphql');
const apollo = require('@apollo/composition');
const guild = require('@theguild/federation-composition');

const codesOf = (errors) => [...new Set(errors.map((error) => error.extensions?.code ?? 'NO_CODE'))].sort();

function askApollo(services) {
  const result = apollo.composeServices(services);
  if (result.errors) return { codes: codesOf(result.errors) };
  return {
    supergraph: result.supergraphSdl,
    api: printSchema(result.schema.toAPISchema().toGraphQLJSSchema()),
    hints: [...new Set(result.hints.map((hint) => hint.definition.code))].sort(),
  };
}

function askGuild(services) {
  const result = guild.composeServices(services);
  if (guild.compositionHasErrors(result)) return { codes: codesOf(result.errors) };
  return { supergraph: result.supergraphSdl, api: result.publicSdl, hints: [] };
}

function ask(implementation, subgraphs) {
  try {
    return implementation(
      subgraphs.map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
    );
  } catch (error) {
    // Apollo throws its list of errors for some; a syntax error comes from parse itself.
    if (error.errors) return { codes: codesOf(error.errors) };
    if (error.name === 'GraphQLError') return { codes: ['INVALID_GRAPHQL'] };
    return { codes: ['THROWN'] };
  }
}

const cases = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(
  JSON.stringify(cases.map((each) => ({ apollo: ask(askApollo, each), guild: ask(askGuild, each) }))),
);
