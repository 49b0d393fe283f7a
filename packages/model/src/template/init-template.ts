import { schemaBaseUrl } from '../schema/json-schemas.ts';
import { apiVersion } from '../schema/metadata.ts';

/** A file of a new project; the path is relative to its folder. */
export interface TemplateFile {
  path: string;
  text: string;
  /** Permissions, such as 0o755 for scripts. */
  mode: number;
}

const header = (kind: 'Image' | 'Deployment' | 'Project', name: string, title: string): string =>
  `# yaml-language-server: $schema=${schemaBaseUrl}/${kind.toLowerCase()}.schema.json
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
  title: ${title}
`;

const project = (
  name: string,
): string => `${header('Project', name, name)}# This file marks the folder: modules below it may refer to each other, and to nothing outside.
`;

const baseImage = `${header('Image', 'debian-12', 'Debian 12')}spec:
  resources: { cpus: 1, memory: 1GiB, disk: 10GiB }
  # Where the image already exists, by the name of your cloud:
  # clouds:
  #   aws-paris: { image: ami-0123456789abcdef0, login: admin }
`;

const helloImage = `${header('Image', 'hello', 'A web server that says hello')}spec:
  extends: ../debian-12 # its parameters, packages and scripts come first
  parameters:
    port: { type: integer, default: 8080, minimum: 1024, description: Port to listen on }
    greeting: { default: Hello, description: What the page says }
    ready: { type: boolean, output: true, description: The server answers }
  packages: [python3]
  ports: [8080]
  scripts:
    postInstall: install.sh # once, part of a built image
    deploy: deploy.sh # on every machine of every run
    report: report.sh # what to send home
`;

const installScript = `#!/bin/sh
set -e
mkdir -p /srv/hello
`;

const deployScript = `#!/bin/sh
set -e
port=$(ss-get port)
echo "$(ss-get greeting) from $(ss-get hostname)" > /srv/hello/index.html
cd /srv/hello
nohup python3 -m http.server "$port" > /var/log/hello.log 2>&1 &
ss-set url.service "http://$(ss-get hostname):$port"
ss-set ready true # other machines may wait for it: ss-get NODE:ready
`;

const reportScript = `#!/bin/sh
cp /var/log/hello.log "$SLIPSTREAM_REPORT_DIR"
`;

const deployment = (name: string): string => `${header('Deployment', name, name)}spec:
  parameters:
    machines: { type: integer, default: 1, minimum: 1, description: How many machines }
  nodes:
    hello:
      image: ./images/hello
      multiplicity: \${{ parameters.machines }}
      parameters:
        greeting: Good morning
  keepRunning: on-success
  timeout: 30m # longest time in one state
  lifetime: 4h # then every machine ends, whatever happens
`;

/**
 * The files of a new project: small, valid, and commented where a beginner will look.
 * @param name of the project and its deployment: letters, digits, `_`, `.` and `-`
 */
export function initTemplate(name = 'hello'): TemplateFile[] {
  const file = (path: string, text: string, mode = 0o644): TemplateFile => ({ path, text, mode });
  return [
    file('project.yaml', project(name)),
    file('deployment.yaml', deployment(name)),
    file('images/debian-12/image.yaml', baseImage),
    file('images/hello/image.yaml', helloImage),
    file('images/hello/install.sh', installScript, 0o755),
    file('images/hello/deploy.sh', deployScript, 0o755),
    file('images/hello/report.sh', reportScript, 0o755),
    file('.gitattributes', '*.sh text eol=lf\n'),
  ];
}
