// Prints one line per audit of the GraphQL-over-HTTP specification: its id, its result, its name.
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
for (const audit of serverAudits({ url })) {
  const result = await audit.fn();
  console.log(`${audit.id} ${result.status} ${audit.name}${result.status === 'ok' ? '' : ` (${result.reason})`}`);
}
