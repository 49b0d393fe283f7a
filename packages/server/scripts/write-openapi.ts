/** Writes docs/openapi.json, the description of the HTTP interface. A test compares it with what the server serves. */
import { writeFileSync } from 'node:fs';
import { openApiText } from '../src/openapi-text.ts';

writeFileSync(new URL('../../../docs/openapi.json', import.meta.url), await openApiText());
