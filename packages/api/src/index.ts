export * from './agent.ts';
export * from './agent-schemas.ts';
export * from './runs.ts';
