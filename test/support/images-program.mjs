// A connector of JSON lines that makes images: the example in Python with, for each image, an empty file that says that it is there.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , program, images] = process.argv;
const cloud = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const pathOf = (image) => join(images, image);
const hellos = new Set();

/** What is ours alone to answer; undefined for what the example knows. */
function answer(method, { image, name, resource }) {
  if (method === 'createImage') {
    mkdirSync(images, { recursive: true });
    writeFileSync(pathOf(name), '');
    return { result: { image: name, id: name } };
  }
  if (method === 'remove') {
    rmSync(pathOf(resource.id), { force: true });
    return { result: {} };
  }
  if (image !== undefined && image !== '' && !existsSync(pathOf(image)))
    return { error: { code: 'notFound', message: `There is no image ${image}` } };
  return method === 'resolveImage' ? { result: { means: image === '' ? 'none' : image } } : undefined;
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method, params = {} } = JSON.parse(line);
    if (method === 'hello') hellos.add(id);
    const own = answer(method, params);
    if (own === undefined) cloud.stdin.write(`${line}\n`);
    else say({ id, ...own });
  })
  .on('close', () => process.exit(0));

createInterface({ input: cloud.stdout }).on('line', (line) => {
  const message = JSON.parse(line);
  if (hellos.has(message.id)) message.result?.methods.push('createImage', 'resolveImage', 'remove');
  say(message);
});
