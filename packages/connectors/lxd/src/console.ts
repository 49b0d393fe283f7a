import { wholeCharacters } from '@paceline/connector-host';
import { isConnectorError } from '@paceline/engine/connector';
import { instanceSchema } from './answer.ts';
import type { Client } from './client.ts';

/**
 * What the machine has written to its console, from the byte `since` on. LXD keeps the last 128 KiB or so.
 * @throws notFound
 */
export async function readMachineConsole(
  client: Client,
  id: string,
  since: number,
  signal: AbortSignal,
): Promise<{ text: string; next: number }> {
  const path = `/1.0/instances/${encodeURIComponent(id)}`;
  try {
    const whole = wholeCharacters((await client.read(`read the console of ${id}`, `${path}/console`, { signal })).subarray(since));
    return { text: whole.toString(), next: since + whole.length };
  } catch (error) {
    if (!(isConnectorError(error) && /no such file/.test(error.message))) {
      throw error;
    }
    // The machine has written nothing yet, if there is one.
    await client.get(`look up machine ${id}`, path, instanceSchema, { signal });
    return { text: '', next: since };
  }
}
