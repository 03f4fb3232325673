// A server that speaks S3, with one empty bucket: prints its port, and ends when its standard input does.
//
//   node server.mjs <folder> <bucket>
import S3rver from "s3rver";

const [directory, bucket] = process.argv.slice(2);
const server = new S3rver({
  port: 0,
  address: "127.0.0.1",
  silent: true,
  directory,
  configureBuckets: [{ name: bucket }],
});
const { port } = await server.run();
console.log(port);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
