/** A parameter that every run has, whatever its modules declare. */
export interface SystemParameter {
  name: string;
  description: string;
  /** The value it has from the start of the run; absent when it depends on the run. Empty: it exists and is not set. */
  initial?: string;
}

/** Parameters of every instance: `client.2:hostname`. Any of them can be the source of a mapping. */
export const instanceParameters: readonly SystemParameter[] = [
  { name: 'nodename', description: 'Name of the node' },
  { name: 'id', description: 'Number of the instance in its node, from 1' },
  { name: 'hostname', description: 'Address of the machine; set before any deploy script starts' },
  { name: 'instanceid', description: 'Identifier of the machine in its cloud; set before any deploy script starts' },
  { name: 'cloudservice', description: 'Name of the cloud' },
  { name: 'image.id', description: 'Identifier of the image in the cloud' },
  { name: 'image.platform', description: 'Family of the operating system' },
  { name: 'service-offer', description: 'The offer of the cloud that was taken' },
  { name: 'statecustom', description: 'Message for people, set by ss-display', initial: '' },
  { name: 'vmstate', description: 'State of the machine as the cloud sees it', initial: 'Unknown' },
  { name: 'state', description: 'Alias of ss:state, read-only' },
  { name: 'abort', description: 'Reason why this machine aborted the run', initial: '' },
  { name: 'complete', description: 'Whether the machine has completed the state', initial: 'false' },
  { name: 'url.ssh', description: 'ssh://user@address; set before any deploy script starts' },
  { name: 'url.service', description: 'Address of the service for people', initial: '' },
  { name: 'is.orchestrator', description: 'Always false: nothing but machines of nodes', initial: 'false' },
  { name: 'scale.state', description: 'Where the instance is in a scaling action', initial: 'creating' },
  { name: 'pre.scale.done', description: 'The preScale script has ended', initial: '' },
  { name: 'scale.iaas.done', description: 'The cloud has resized the machine', initial: '' },
  { name: 'disk.attach.size', description: 'Size of a disk to attach, in GB', initial: '' },
  { name: 'disk.attached.device', description: 'Device of the disk that was attached', initial: '' },
  { name: 'disk.detach.device', description: 'Device of the disk to detach', initial: '' },
  { name: 'extra.disk.volatile', description: 'Size of an extra volatile disk, in GB', initial: '' },
  { name: 'network', description: 'Public or Private', initial: 'Public' },
  { name: 'cpu.nb', description: 'Number of virtual CPUs', initial: '' },
  { name: 'ram.GB', description: 'Memory in GB', initial: '' },
  { name: 'disk.GB', description: 'Root disk in GB', initial: '' },
];

/** Parameters of a node as a whole, written without an instance number: `client:ids`. */
export const nodeLevelParameters: readonly SystemParameter[] = [
  { name: 'ids', description: 'Numbers of the living instances: `1,2,3`' },
  { name: 'multiplicity', description: 'How many instances the node has' },
  { name: 'max-provisioning-failures', description: 'How many machines may fail to start', initial: '0' },
];

/** Parameters of the run: `ss:state`. */
export const globalParameters: readonly SystemParameter[] = [
  { name: 'category', description: '`Deployment` or `Image`' },
  { name: 'state', description: 'State of the run' },
  { name: 'complete', description: 'Which machines have completed the state', initial: '' },
  { name: 'abort', description: 'Reason why the run was aborted; the first one wins', initial: '' },
  { name: 'groups', description: '`cloud:node` of every node, separated by commas' },
  { name: 'url.service', description: 'Address of the service for people', initial: '' },
  { name: 'tags', description: 'Words to find the run by', initial: '' },
  { name: 'recovery.mode', description: 'Whether recipes are skipped after a failed provisioning', initial: 'false' },
  { name: 'run.api.key', description: "Kept for SlipStream's recipes, always empty", initial: '' },
  { name: 'deployment.credential.ids', description: "Kept for SlipStream's recipes, always empty", initial: '' },
];

/** What an instance of a single-image run does not have: SlipStream never set these on `machine`. */
export const absentOnMachine: ReadonlySet<string> = new Set(['nodename', 'id', 'ids', 'multiplicity', 'max-provisioning-failures']);

export const instanceLevelNames: ReadonlySet<string> = new Set(instanceParameters.map(({ name }) => name));
export const nodeLevelNames: ReadonlySet<string> = new Set(nodeLevelParameters.map(({ name }) => name));
export const globalNames: ReadonlySet<string> = new Set(globalParameters.map(({ name }) => name));
