export * from './agent.ts';
export * from './agent-schemas.ts';
export * from './runs.ts';
export * from './scale.ts';
export { createClient, type Client, type ClientOptions, type LogFilter, type Page } from './client.ts';
export { openSession, type LoginOptions } from './client-session.ts';
export { type FollowOptions, type Patience } from './client-follow.ts';
