/** Checks that every connector has to pass, for its authors: run them over a real cloud with `defineConformance`. */
export { Bench, type RequestOptions } from './bench.ts';
export type { Check } from './check.ts';
export { unlessAborted } from './deadline.ts';
export type { Home } from './home.ts';
export { endAllOf, type Ending } from './leftovers.ts';
export type { ConformanceSubject, FaultySubject } from './subject.ts';
export { checks, defineConformance, runCheck, type ConformanceOptions, type TestFunction } from './suite.ts';
export { openFaultProxy, type FaultProxy, type ProxiedAnswer, type ProxiedRequest, type ProxyFault } from './fault-proxy.ts';
export { runConformance, type CheckResult } from './run.ts';
