import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

type Clouds = Record<string, object>;

const file = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'clouds.json');

/** What there is without any testbed comes first, as it does without a file. */
const always: Clouds = { local: { connector: 'local' }, sandbox: { connector: 'sandbox' } };

/** Writes a cloud that is prepared into the testbeds' file of clouds, and says how to have machines of it. */
export async function offerCloud(name: string, settings: object): Promise<void> {
  await write({ ...(await read()), [name]: settings });
  console.log(`\nnpx paceline up examples/client-server --cloud ${name} --clouds ${file}`);
}

/** Takes a cloud out of that file that is there no more. */
export async function withdrawCloud(name: string): Promise<void> {
  const { [name]: _, ...others } = await read();
  await write(others);
}

async function read(): Promise<Clouds> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? always : (JSON.parse(text) as { clouds: Clouds }).clouds;
}

async function write(clouds: Clouds): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ clouds }, undefined, 2)}\n`);
}
