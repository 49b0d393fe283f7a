import { connectorModule } from '@paceline/connector-local';
import { openServer, StateDirectory } from '@paceline/server';
import { loadModule, diskFiles } from '@paceline/model';
import { readFile, stat } from 'node:fs/promises';
const t0 = performance.now();
const ms = () => (performance.now() - t0).toFixed(0).padStart(6);
const state = await StateDirectory.open('/tmp/try/state');
const server = await openServer({ state, host: '127.0.0.1', port: 0, clouds: [{ name: 'local', connector: connectorModule.createConnector({ root: '/tmp/try/local' }) }], agentPath: process.cwd() + '/vm-agent/dist/agent.cjs', version: '0', logger: { level: 'warn' } });
console.log(ms(), server.url);
const token = await state.operatorToken();
const loaded = await loadModule(process.argv[2]!, { fs: diskFiles(), cwd: process.cwd() }); const deployment = loaded.kind === 'Deployment' ? loaded.deployment : undefined;
console.log(ms(), 'loaded');
const call = async (method: string, path: string, body?: unknown) => { const r = await fetch(server.url + path, { method, headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) }, body: body ? JSON.stringify(body) : null as never }); const text = await r.text(); if (!r.ok) console.log(r.status, text); return text ? JSON.parse(text) : undefined; };
const { run } = await call('POST', '/api/runs', { deployment, parameters: JSON.parse(process.argv[3] ?? '{}') });
const res = await fetch(`${server.url}/api/runs/${run.id}/events`, { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
const decoder = new TextDecoder();
let down = false;
for await (const chunk of res.body!) {
  for (const line of decoder.decode(chunk as Uint8Array).split('\n')) if (line.startsWith('data: ')) { const e = JSON.parse(line.slice(6)); console.log(ms(), e.type ?? 'end', e.message ?? ''); if (e.data?.state === 'Ready' && !down) { down = true; setTimeout(() => void call('DELETE', `/api/runs/${run.id}`), 300); } }
}
for (const l of (await call('GET', `/api/runs/${run.id}/logs`)).logs) console.log(l.instance, l.source, l.stream, JSON.stringify(l.text).slice(0,200));
console.log((await call('GET', `/api/runs/${run.id}/reports`)).reports.map((r: any) => r.name + ' ' + r.bytes));
await server.close();
