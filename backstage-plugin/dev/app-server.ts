import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface ServedApp {
  url: string;
  close(): void;
}

const types: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** Where the application of the old front-end system is. */
export const oldSystem = '/old';

/** Serves the bundled application on loopback; every address that is no file of it is a page. @param port 0 takes a free one */
export async function serveApp(folder: string, port: number, backendUrl: string): Promise<ServedApp> {
  let url = '';
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
    const path = join(folder, name);
    if (types[extname(name)] !== undefined && existsSync(path)) void sendFile(path, response);
    else
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end(page(url, backendUrl, request.url?.startsWith(oldSystem) === true));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://localhost:${typeof address === 'object' ? address?.port : port}`;
  return {
    url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream');
  // A browser that has gone needs nothing more.
  await pipeline(createReadStream(path), response).catch(() => {});
}

function page(url: string, backendUrl: string, isOld: boolean): string {
  const name = isOld ? 'old-app' : 'app';
  const data = {
    app: { title: 'Paceline in Backstage', baseUrl: isOld ? `${url}${oldSystem}` : url },
    backend: { baseUrl: backendUrl },
    organization: { name: 'Paceline' },
    auth: { providers: {} },
    permission: { enabled: true },
  };
  const config = JSON.stringify([{ context: 'dev', data, deepVisibility: {} }]).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Paceline in Backstage</title>
    <link rel="stylesheet" href="/${name}.css" />
    <script type="backstage.io/config">${config}</script>
  </head>
  <body>
    <div id="root"></div>
    <script type="module" src="/${name}.js"></script>
  </body>
</html>
`;
}
