// Generates a typed TypeScript client from a running router's introspection, compiles it, and prints it.
//
// Arguments: the router's address, a file with operations, a folder for the generated file.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from '@graphql-codegen/cli';
import ts from 'typescript';

const [url, documents, folder] = process.argv.slice(2);
const target = join(folder, 'client.ts');

const files = await generate(
  {
    schema: url,
    documents,
    silent: true,
    errorsOnly: true,
    generates: { [target]: { plugins: ['typescript', 'typescript-operations'], config: { strictScalars: false } } },
  },
  false,
);
writeFileSync(target, files[0].content);

const program = ts.createProgram([target], { strict: true, noEmit: true, skipLibCheck: true });
const problems = ts.getPreEmitDiagnostics(program).map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, '\n'));
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(readFileSync(target, 'utf8'));
