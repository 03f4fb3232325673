// Hive Gateway with the de-duplication of in-flight subgraph requests switched off
export const gatewayConfig = {
  transportEntries: { "*.http": { options: { deduplicateInflightRequests: false } } },
  maskedErrors: false,
  logging: "error",
};
