import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { describe, expect, test } from 'vitest';
import { Person } from '../../support/command.ts';
import { processesWith } from '../../support/processes.ts';
import { until } from '../../support/until.ts';

const why = whyNoTool();

function whyNoTool(): string {
  try {
    execFileSync('sh', ['-c', 'command -v tofu || command -v terraform'], { stdio: 'ignore' });
    return '';
  } catch {
    return ' (there is no tofu and no terraform here)';
  }
}

/** A machine that is a directory and processes of this host, which needs no provider. */
const module = `
variable "name" { type = string }
variable "user_data_base64" { type = string }
variable "folder" { type = string }
variable "node" { type = string }

resource "terraform_data" "machine" {
  input = "\${var.folder}/\${var.name}"
  provisioner "local-exec" {
    command = <<-EOT
      mkdir -p "$MACHINE/tmp" && cd "$MACHINE" && printf %s "$DATA" | base64 -d >user-data && chmod 700 user-data || exit 1
      env -i PATH="$PATH" HOME="$MACHINE" TMPDIR="$MACHINE/tmp" PACELINE_ROOT="$MACHINE" PACELINE_NODE="$NODE" PACELINE_PACKAGES=check \\
        PACELINE_MACHINE="$MACHINE" setsid ./user-data </dev/null >console 2>&1 &
    EOT
    environment = {
      MACHINE = self.input
      DATA    = var.user_data_base64
      NODE    = var.node
    }
  }
  provisioner "local-exec" {
    when    = destroy
    command = <<-EOT
      for file in $(grep -lszx "PACELINE_MACHINE=$GOING" /proc/[0-9]*/environ 2>/dev/null); do
        kill -KILL "$(basename "$(dirname "$file")")" 2>/dev/null
      done
      rm -rf "$GOING"
    EOT
    environment = {
      GOING = self.output
    }
  }
}

output "private_ip" { value = "127.0.0.1" }
`;

const files: Record<string, string> = {
  'module/main.tf': module,
  'image.yaml': `apiVersion: paceline.dev/v1
kind: Image
metadata: { name: machine }
spec:
  parameters: { word: { output: true } }
  scripts: { deploy: deploy.sh }
`,
  'deploy.sh':
    '#!/bin/sh\nset -e\nss-set word "from $(ss-get nodename)"\nss-display "heard: $(ss-get one.1:word) and $(ss-get other.1:word)"\n',
  'deployment.yaml': `apiVersion: paceline.dev/v1
kind: Deployment
metadata: { name: pair }
spec:
  keepRunning: always
  nodes: { one: { image: ./image.yaml }, other: { image: ./image.yaml } }
`,
};

describe.skipIf(why !== '')(`a run on machines that a module makes${why}`, () => {
  test('is carried out by their agents, and leaves no machine and no state', async () => {
    const person = await Person.arrive();
    const folder = await mkdtemp(join(tmpdir(), 'paceline-module-'));
    try {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), text, { mode: 0o755 });
      }
      const variables = { folder: join(folder, 'machines'), node: process.execPath };
      const clouds = { made: { connector: 'terraform', module: join(folder, 'module'), variables, reach: 'host' } };
      await writeFile(join(person.state, 'clouds.yaml'), JSON.stringify({ clouds }));
      const up = await person.type(['up', join(folder, 'deployment.yaml')]);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const { runs } = JSON.parse((await person.type(['list', '--json'])).stdout) as { runs: { id: string }[] };
      const id = runs[0]?.id ?? '';
      const run = JSON.parse((await person.type(['status', id, '--json'])).stdout) as RunDetail;
      expect(run.instances.map(({ message }) => message)).toEqual(Array.from({ length: 2 }, () => 'heard: from one and from other'));
      expect(await readdir(join(folder, 'machines'))).toHaveLength(2);
      expect((await person.type(['down', id])).code).toBe(0);
      expect(await readdir(join(folder, 'machines'))).toEqual([]);
      expect(await readdir(join(person.state, 'made', 'machines'))).toEqual([]);
      await until(() => expect(processesWith(folder)).toEqual([]), 20_000);
    } finally {
      await person.type(['down']);
      await person.leave();
      await rm(folder, { recursive: true });
    }
  }, 300_000);
});
