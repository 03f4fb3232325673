// Reads one case (a list of [subgraph name, SDL]) from standard input and writes the seconds that each implementation
// takes to parse and compose it, the better of two runs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { parse } = require('graphql');
const apollo = require('@apollo/composition');
const guild = require('@theguild/federation-composition');

const subgraphs = JSON.parse(readFileSync(0, 'utf8'));

function measure(compose, refused) {
  let best = Infinity;
  for (let run = 0; run < 2; run += 1) {
    const start = process.hrtime.bigint();
    const result = compose(subgraphs.map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })));
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
    if (refused(result)) throw new Error('the benchmark input must compose');
  }
  return best;
}

process.stdout.write(
  JSON.stringify({
    apollo: measure(apollo.composeServices, (result) => result.errors),
    guild: measure(guild.composeServices, guild.compositionHasErrors),
  }),
);
