/** Stands for the agent's bundle: takes every configuration of the directory, and says in the machine's directory that it did. */
export const fakeAgent = String.raw`
const fs = require('node:fs');
const { join } = require('node:path');
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const directory = option('--dir');
const seen = new Set();
let idle;
function look() {
  const files = fs.readdirSync(directory).filter((name) => name.endsWith('.json'));
  for (const name of files.filter((each) => !seen.has(each))) {
    seen.add(name);
    const { root } = JSON.parse(fs.readFileSync(join(directory, name), 'utf8'));
    fs.writeFileSync(join(root, 'joined.new'), String(process.pid));
    fs.renameSync(join(root, 'joined.new'), join(root, 'joined'));
  }
  clearTimeout(idle);
  if (files.length === 0) idle = setTimeout(() => process.exit(0), 1000 * Number(option('--idle-exit')));
}
fs.watch(directory, look);
look();
`;

/** What the engine's user data does on a local machine: the bundle into the cache, the pointer to it, then the configuration. */
export const joiningUserData = `#!/bin/sh
set -e
bundle=$PACELINE_AGENT_CACHE/agent-fake.cjs
[ -e "$bundle" ] || { cat >"$bundle.$$" <<'AGENT'
${fakeAgent}
AGENT
mv "$bundle.$$" "$bundle"; }
printf %s "$bundle" >"$PACELINE_RESIDENT/.agent.$$"
mv "$PACELINE_RESIDENT/.agent.$$" "$PACELINE_RESIDENT/agent"
printf '{"root":"%s","env":{"PACELINE_MACHINE":"%s"}}' "$PACELINE_ROOT" "$PACELINE_MACHINE" >"$PACELINE_RESIDENT/.$PACELINE_MACHINE"
mv "$PACELINE_RESIDENT/.$PACELINE_MACHINE" "$PACELINE_RESIDENT/$PACELINE_MACHINE.json"
echo "configured $PACELINE_MACHINE"
`;
