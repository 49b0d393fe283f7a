/** What tests of the packages around the engine need: plans, a cloud in memory, time that moves on command, agents without HTTP. */
export * from './boot-config.ts';
export * from './fake-cloud.ts';
export * from './plans.ts';
export * from './ssh-server.ts';
export * from './test-engine.ts';
