// Hive Gateway as it comes: identical in-flight subgraph requests are sent once
export const gatewayConfig = { maskedErrors: false, logging: "error" };
