import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from '@fastify/type-provider-zod';
import {
  createdRun,
  createdToken,
  eventList,
  eventView,
  instanceView,
  logList,
  logView,
  parameterList,
  parameterView,
  parameterWrite,
  problem,
  reportList,
  reportView,
  runDetail,
  runList,
  runRequest,
  runSummary,
  serverInfo,
  sessionState,
  tokenList,
  tokenRequest,
  tokenView,
  usageReport,
  userList,
  userView,
} from '@paceline/api';
import { resolvedDeployment, resolvedImage } from '@paceline/model';
import * as z from 'zod';

/** The schemas that have a name of their own in the document. */
const named = {
  CreatedRun: createdRun,
  CreatedToken: createdToken,
  Deployment: resolvedDeployment,
  Event: eventView,
  EventList: eventList,
  Image: resolvedImage,
  Instance: instanceView,
  Log: logView,
  LogList: logList,
  Parameter: parameterView,
  ParameterList: parameterList,
  ParameterWrite: parameterWrite,
  Problem: problem,
  Report: reportView,
  ReportList: reportList,
  Run: runDetail,
  RunList: runList,
  RunRequest: runRequest,
  RunSummary: runSummary,
  ServerInfo: serverInfo,
  Session: sessionState,
  Token: tokenView,
  TokenList: tokenList,
  TokenRequest: tokenRequest,
  Usage: usageReport,
  User: userView,
  UserList: userList,
};

const tags = [
  { name: 'runs', description: 'Start, look at, abort and end runs.' },
  { name: 'machines', description: 'Consoles of machines, and ways into them.' },
  { name: 'parameters', description: 'The values that the machines of a run exchange.' },
  { name: 'feeds', description: 'Events and output of a run: page by page, or as Server-Sent Events that resume.' },
  { name: 'reports', description: 'The tarballs that machines send home.' },
  { name: 'accounts', description: 'People, their roles in projects, and their tokens.' },
  { name: 'modules', description: 'The published modules, version by version.' },
  { name: 'images', description: 'The images that were built, for machines to boot.' },
  { name: 'server', description: 'The server itself.' },
];

/** Answered with `text/event-stream` when that is what the request accepts. */
const streams = ['/api/runs', '/api/runs/{run}/events', '/api/runs/{run}/logs'];

/** How the OpenAPI 3.1 document is made of the routes. */
export function openApiOptions(version: string): FastifyDynamicSwaggerOptions {
  const schemaRegistry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) schemaRegistry.add(schema, { id });
  const config = { schemaRegistry, zodToJsonConfig: { override: asAgreed } };
  const withSchemas = createJsonSchemaTransformObject(config);
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Paceline',
        version,
        description: 'Runs of systems of many machines. The token is that of the server, or of one run for what belongs to that run.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags,
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: createJsonSchemaTransform(config),
    transformObject: (document) => complete(withSchemas(document) as unknown as Document),
  };
}

/** What goes from zod's own words to those of the document. */
function asAgreed({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  // The format says it; the pattern would only be noise.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  // Answers may grow: only what is said to be strict is closed.
  const { def } = zodSchema._zod;
  if (def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
}

interface Operation {
  responses: Record<string, { description?: string; content?: Record<string, unknown> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

const meanings: Record<string, string> = { 200: 'The answer', 201: 'Made', 202: 'Begun; the run is on its way there', 204: 'Done' };

/** Adds what every operation has (refusals as problem documents, and streams where there are some) and drops what none uses. */
function complete(document: Document): Document {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const { responses } of Object.values(operations)) {
      for (const [status, response] of Object.entries(responses)) response.description = meanings[status] ?? 'The answer';
      responses['default'] = {
        description: 'What was refused or failed, and why (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      };
      const content = responses['200']?.content;
      if (streams.includes(path) && content !== undefined) content['text/event-stream'] = { schema: { type: 'string' } };
    }
  }
  const { schemas } = document.components;
  const used = reachable(document.paths, schemas);
  return {
    ...document,
    components: { ...document.components, schemas: Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name))) },
  };
}

/** The names of the schemas that are referred to, directly or by others. */
function reachable(from: unknown, schemas: Readonly<Record<string, unknown>>, found = new Set<string>()): Set<string> {
  for (const [, name = ''] of JSON.stringify(from).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    reachable(schemas[name] ?? null, schemas, found);
  }
  return found;
}
