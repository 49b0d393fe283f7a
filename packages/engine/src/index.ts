export * from "./connector/index.ts";
