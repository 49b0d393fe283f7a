/** What other doors share with the command: the embedded engine, and the summary of a run. */
export { ensureEngine, engineGone, type EngineWanted } from './embedded/embedded-engine.ts';
export { readEngineFile, type EngineRecord } from './embedded/engine-file.ts';
export { harmless, harmlessLine } from './view/harmless.ts';
