import {
  CreateLaunchTemplateCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { openFaultProxy, type FaultProxy } from '@paceline/engine/conformance';
import type { Connector, ConnectorContext, LaunchRequest, Resource } from '@paceline/engine/connector';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectorModule } from './index.ts';
import { actionOf, asManyAsWanted, clientToken, refusal, withoutSnapshotTags } from './testing/answers.ts';
import { assumeRole, changingProfile } from './testing/accounts.ts';
import { credentials, openMoto, reason, type Moto } from './testing/moto.ts';

const image = 'ami-03cf127a';
const region = 'eu-west-3';
const context: ConnectorContext = { signal: new AbortController().signal, log: { info: () => {}, warn: () => {} }, now: Date.now };

describe.skipIf(reason !== undefined)(`EC2, as moto has it${reason === undefined ? '' : ` (${reason})`}`, () => {
  let moto: Moto;
  let proxy: FaultProxy;
  let connector: Connector;
  let ec2: EC2Client;
  let count = 0;

  beforeAll(async () => {
    moto = await openMoto();
    proxy = await openFaultProxy(moto.url);
    ec2 = new EC2Client({ region, endpoint: moto.url });
  }, 150_000);
  afterAll(async () => {
    ec2.destroy();
    await proxy[Symbol.asyncDispose]();
    await moto[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    proxy.fault = () => undefined;
    proxy.sameAs = clientToken;
    proxy.adapt = withoutSnapshotTags;
    proxy.seen.length = 0;
    connector = connectorModule.createConnector({ region, endpoint: proxy.url });
    return () => connector.close?.();
  });

  function request(options: Partial<LaunchRequest> & { count?: number } = {}): LaunchRequest {
    count += 1;
    const { count: machines = 1, ...rest } = options;
    return {
      token: count.toString(16).padStart(32, '0'),
      owner: { engine: 'engine', run: `run-${count}`, node: 'web' },
      machines: Array.from({ length: machines }, (_, at) => ({
        index: at + 1,
        name: `web-${at + 1}`,
        userData: Buffer.from([0x23, 0x21, at, 0xff, 0x00, 0x0d, 0x0a]),
      })),
      image,
      ports: [],
      expiresAt: new Date(Date.now() + 3_600_000),
      ...rest,
    };
  }

  const runs = () => proxy.seen.filter((one) => actionOf(one) === 'RunInstances').map(({ body }) => new URLSearchParams(body));
  const listed = async (run: string): Promise<Resource[]> => {
    const found: Resource[] = [];
    for await (const resource of connector.list({ engine: 'engine', run }, context)) found.push(resource);
    return found;
  };
  /** Until EC2 has ended them. */
  const end = (ids: string[]): Promise<void> =>
    vi.waitFor(async () => {
      const results = await connector.terminate(ids, context);
      if (results.some(({ gone }) => !gone)) throw new Error('not yet');
    }, 20_000);

  test('a launch asks for all that keeps a machine from outliving its run, and from giving away its credentials', async () => {
    const [machine] = await connector.launch(request({ cpus: 4, memoryMiB: 10_000, diskGiB: 20 }), context);
    const [asked] = runs();
    expect(Object.fromEntries(asked ?? [])).toMatchObject({
      MinCount: '1',
      MaxCount: '1',
      InstanceType: 'm6i.xlarge',
      InstanceInitiatedShutdownBehavior: 'terminate',
      'MetadataOptions.HttpTokens': 'required',
      'NetworkInterface.1.DeleteOnTermination': 'true',
      'BlockDeviceMapping.1.Ebs.VolumeSize': '20',
      'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
    });
    expect([1, 2, 3].map((at) => asked?.get(`TagSpecification.${at}.ResourceType`))).toEqual(['instance', 'volume', 'network-interface']);
    const { UserData } = await ec2.send(new DescribeInstanceAttributeCommand({ InstanceId: machine?.id, Attribute: 'userData' }));
    expect([...Buffer.from(UserData?.Value ?? '', 'base64')]).toEqual([0x23, 0x21, 0, 0xff, 0x00, 0x0d, 0x0a]);
    await end([machine?.id ?? '']);
  });

  test('a launch template says what nobody else does: the image too, where no module names one, and never that machines outlive their run', async () => {
    const made = await ec2.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: 'ours',
        LaunchTemplateData: { ImageId: image, InstanceType: 'm5.large', InstanceInitiatedShutdownBehavior: 'stop', KeyName: 'operators' },
      }),
    );
    const by = (launchTemplate: Record<string, unknown>) =>
      connectorModule.createConnector({ region, endpoint: proxy.url, launchTemplate });
    const [first] = await by({ name: 'ours' }).launch(request({ image: '' }), context);
    const [second] = await by({ id: made.LaunchTemplate?.LaunchTemplateId, version: '1' }).launch(request(), context);
    const ids = [first?.id ?? '', second?.id ?? ''];
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids }));
    const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
    expect(instances.map(({ ImageId, InstanceType }) => [ImageId, InstanceType])).toEqual([
      [image, 't3.micro'],
      [image, 't3.micro'],
    ]);
    expect(
      runs().map((asked) => ['ImageId', 'LaunchTemplate.LaunchTemplateName', 'LaunchTemplate.Version'].map((key) => asked.get(key))),
    ).toEqual([
      [image, 'ours', '$Default'],
      [image, null, '1'],
    ]);
    expect(runs().map((asked) => asked.get('InstanceInitiatedShutdownBehavior'))).toEqual(['terminate', 'terminate']);
    expect(await by({ name: 'ours' }).resolveImage?.('', context)).toBe(image);
    await end(ids);
    await expect(by({ name: 'unknown' }).launch(request(), context)).rejects.toMatchObject({ code: 'notFound' });
    expect(() => by({ version: '1' })).toThrow(/must have an id or a name\s+→ at launchTemplate/);
  });

  test('every machine has a client token of its own, the same whenever it is launched again', async () => {
    const wanted = request({ count: 3 });
    const machines = await connector.launch(wanted, context);
    const tokens = runs().map((asked) => asked.get('ClientToken') ?? '');
    expect(new Set(tokens)).toEqual(new Set([1, 2, 3].map((index) => `${wanted.token}-${index}`)));
    expect(tokens.every((token) => token.length <= 64)).toBe(true);
    expect(await connector.launch(wanted, context)).toEqual(machines.map((machine) => ({ ...machine, state: 'running' })));
    expect(runs()).toHaveLength(3);
    await end(machines.map(({ id }) => id));
  });

  test('machines with user data in common are launched by one call, and what is missing by the next', async () => {
    proxy.adapt = asManyAsWanted;
    const wanted = { ...request({ count: 30 }), shared: { name: 'web-1', userData: Buffer.from('#!/bin/sh\n') } };
    const machines = await connector.launch(wanted, context);
    expect(machines.map(({ index, name }) => ({ index, name }))).toEqual(
      wanted.machines.map(({ index }, place) => ({ index, name: `web-1-${place + 1}` })),
    );
    const [asked] = runs();
    expect(Object.fromEntries(asked ?? [])).toMatchObject({
      MinCount: '1',
      MaxCount: '30',
      UserData: Buffer.from('#!/bin/sh\n').toString('base64'),
      ClientToken: expect.stringMatching(new RegExp(`^${wanted.token}-[0-9a-f]{16}$`)),
    });
    expect(runs()).toHaveLength(1);
    await end(machines.slice(0, 2).map(({ id }) => id));
    const all = await connector.launch(wanted, context);
    expect(all.map(({ index }) => index)).toEqual(wanted.machines.map(({ index }) => index));
    expect(runs().map((each) => each.get('MaxCount'))).toEqual(['30', '1', '1']);
    expect(Buffer.from(runs()[1]?.get('UserData') ?? '', 'base64')[2]).not.toBe(Buffer.from('#!/bin/sh\n')[2]);
    await end(all.map(({ id }) => id));
  }, 60_000);

  test('of machines that are launched together, as many as can be had are told, each by its place', async () => {
    const wanted = { ...request({ count: 3 }), shared: { name: 'web-1', userData: Buffer.from('#!/bin/sh\n') } };
    // moto makes as few as it may.
    expect((await connector.launch(wanted, context)).map(({ index }) => index)).toEqual([1]);
    const rest = { ...wanted, machines: wanted.machines.slice(1) };
    proxy.adapt = asManyAsWanted;
    const more = await connector.launch(rest, context);
    expect(more.map(({ index }) => index)).toEqual([2, 3]);
    expect(new Set(runs().map((asked) => asked.get('ClientToken'))).size).toBe(2);
    const found = await listed(wanted.owner.run);
    expect(found.flatMap(({ machine }) => machine?.index ?? []).toSorted((one, other) => one - other)).toEqual([1, 2, 3]);
    await end(found.flatMap(({ machine }) => machine?.id ?? []));
  });

  test('machines reach each other, others only the declared ports, and the groups go with the last machine', async () => {
    const wanted = request({ count: 2, ports: [{ port: 8080, protocol: 'tcp' }] });
    const machines = await connector.launch(wanted, context);
    const { SecurityGroups: groups = [] } = await ec2.send(
      new DescribeSecurityGroupsCommand({ Filters: [{ Name: 'tag:paceline:run', Values: [wanted.owner.run] }] }),
    );
    const rules = groups.flatMap(({ GroupId, IpPermissions }) =>
      (IpPermissions ?? []).map(({ IpProtocol, FromPort, IpRanges, Ipv6Ranges, UserIdGroupPairs }) => ({
        IpProtocol,
        FromPort,
        from: [...(IpRanges ?? []).map(({ CidrIp }) => CidrIp), ...(Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6)],
        own: UserIdGroupPairs?.some((pair) => pair.GroupId === GroupId) ?? false,
      })),
    );
    expect(rules).toHaveLength(2);
    expect(rules).toContainEqual({ IpProtocol: '-1', FromPort: undefined, from: [], own: true });
    expect(rules).toContainEqual({ IpProtocol: 'tcp', FromPort: 8080, from: ['0.0.0.0/0', '::/0'], own: false });
    const [first, second] = machines.map(({ id }) => id);
    await end([first ?? '']);
    expect((await listed(wanted.owner.run)).map(({ kind }) => kind).toSorted()).toEqual(['group', 'group', 'machine']);
    await end([second ?? '']);
    expect(await listed(wanted.owner.run)).toEqual([]);
  });

  test('without spot capacity a machine is launched on demand, unless that is not wanted', async () => {
    proxy.fault = (one) =>
      new URLSearchParams(one.body).get('InstanceMarketOptions.MarketType') === 'spot'
        ? { answer: refusal('InsufficientInstanceCapacity', 'There is no Spot capacity available.', 500) }
        : undefined;
    const spot = (fallback: boolean) =>
      connectorModule.createConnector({ region, endpoint: proxy.url, spot: { fallback, maxPrice: 0.05 } });
    const [machine] = await spot(true).launch(request(), context);
    expect(machine?.state).toBe('pending');
    expect(
      runs().map((asked) => [asked.get('InstanceMarketOptions.SpotOptions.MaxPrice'), asked.get('ClientToken')?.endsWith('-od')]),
    ).toEqual([
      ['0.05', false],
      [null, true],
    ]);
    await expect(spot(false).launch(request(), context)).rejects.toMatchObject({ code: 'capacity' });
    await end([machine?.id ?? '']);
  });

  test('when only some machines can be had, these are told, and the rest is what is asked for the next time', async () => {
    const wanted = request({ count: 3 });
    proxy.fault = (one) =>
      clientToken(one) === `${wanted.token}-2` ? { answer: refusal('InsufficientInstanceCapacity', 'No capacity.', 500) } : undefined;
    const some = await connector.launch(wanted, context);
    expect(some.map(({ index }) => index)).not.toContain(2);
    proxy.fault = () => undefined;
    const all = await connector.launch(wanted, context);
    expect(all.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(all.filter(({ id }) => some.some((machine) => machine.id === id))).toHaveLength(some.length);
    await end(all.map(({ id }) => id));
  });

  test('fifty machines are all there, on several pages', async () => {
    const wanted = request({ count: 50 });
    const machines = await connector.launch(wanted, context);
    expect(new Set(machines.map(({ id }) => id)).size).toBe(50);
    const found = await listed(wanted.owner.run);
    expect(found.filter(({ kind }) => kind === 'machine')).toHaveLength(50);
    proxy.seen.length = 0;
    expect(
      (
        await connector.describe(
          machines.map(({ id }) => id),
          context,
        )
      ).size,
    ).toBe(50);
    expect(proxy.seen).toHaveLength(1);
    await end(machines.map(({ id }) => id));
    expect(await listed(wanted.owner.run)).toEqual([]);
  }, 60_000);

  test('a name that stands for several images means the newest of them', async () => {
    const wanted = request();
    const [machine] = await connector.launch(wanted, context);
    const make = async (name: string): Promise<string | undefined> =>
      (await connector.createImage?.(machine?.id ?? '', name, context))?.image;
    const first = await make('nightly-1');
    expect(await connector.resolveImage?.('nightly-*', context)).toBe(first);
    // EC2 tells their ages by the second.
    await vi.waitFor(async () => {
      const next = await make('nightly-2');
      expect(await connector.resolveImage?.('nightly-*', context)).toBe(next);
    }, 20_000);
    expect(await connector.resolveImage?.('nightly-1', context)).toBe(first);
    for (const resource of await listed(wanted.owner.run)) if (resource.kind === 'image') await connector.remove?.(resource, context);
    await expect(connector.resolveImage?.('nightly-*', context)).rejects.toMatchObject({ code: 'notFound' });
    await end([machine?.id ?? '']);
  }, 60_000);

  test('an image of a machine is listed, launched from by its name, and removed with its snapshots', async () => {
    const wanted = request();
    const [machine] = await connector.launch(wanted, context);
    const before = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
    const made = await connector.createImage?.(machine?.id ?? '', 'web-image', context);
    const [resource] = (await listed(wanted.owner.run)).filter(({ kind }) => kind === 'image');
    expect(resource).toMatchObject({ id: made?.id, name: 'web-image', owner: wanted.owner });
    expect((await listed(wanted.owner.run)).filter(({ kind }) => kind === 'disk')).toEqual([]);
    const [second] = await connector.launch(request({ image: 'web-image' }), context);
    expect(runs().at(-1)?.get('ImageId')).toBe(made?.image);
    for (const name of ['web-image', made?.image ?? '']) expect(await connector.resolveImage?.(name, context)).toBe(made?.image);
    // moto takes a name twice.
    const answer = refusal('InvalidAMIName.Duplicate', 'AMI name web-image is already in use');
    proxy.fault = (one) => (actionOf(one) === 'CreateImage' ? { answer } : undefined);
    await expect(connector.createImage?.(machine?.id ?? '', 'web-image', context)).rejects.toMatchObject({ code: 'conflict' });
    if (resource !== undefined) await connector.remove?.(resource, context);
    expect((await listed(wanted.owner.run)).filter(({ kind }) => kind === 'image')).toEqual([]);
    await expect(connector.resolveImage?.(made?.image ?? '', context)).rejects.toMatchObject({ code: 'notFound' });
    const asked = proxy.seen.map(({ body }) => new URLSearchParams(body)).find((fields) => fields.get('Action') === 'CreateImage');
    expect([1, 2].map((at) => asked?.get(`TagSpecification.${at}.ResourceType`))).toEqual(['image', 'snapshot']);
    expect(asked?.get('NoReboot')).toBe('true');
    const after = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
    expect(after.Snapshots?.map(({ SnapshotId }) => SnapshotId)).toEqual(before.Snapshots?.map(({ SnapshotId }) => SnapshotId));
    await end([machine?.id ?? '', second?.id ?? '']);
  });

  test('a machine of somebody else is never ended', async () => {
    const [ours] = await connector.launch(request(), context);
    const { RunInstancesCommand } = await import('@aws-sdk/client-ec2');
    const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId: image, MinCount: 1, MaxCount: 1 }));
    const foreign = Instances?.[0]?.InstanceId ?? '';
    await expect(connector.terminate([ours?.id ?? '', foreign], context)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining(foreign),
    });
    expect((await connector.describe([foreign], context)).size).toBe(0);
    await end([ours?.id ?? '']);
  });

  test('credentials that were renewed to those of another account lead there, and to none of its machines', async () => {
    const key = { AccessKeyId: credentials.AWS_ACCESS_KEY_ID, SecretAccessKey: credentials.AWS_SECRET_ACCESS_KEY };
    await using changing = await changingProfile({ Version: 1, ...key });
    const connected = changing.connect({ endpoint: proxy.url });
    const ours = `aws 123456789012 ${region} at ${proxy.url}`;
    expect(await connected.account?.(context)).toBe(ours);
    const [machine] = await connected.launch(request(), context);
    const ids = [machine?.id ?? ''];
    expect(await connected.account?.(context)).toBe(ours);
    const asked = () => proxy.seen.filter((one) => actionOf(one) === 'DescribeSecurityGroups' && one.body.includes('=default')).length;
    expect(asked()).toBe(1);
    await changing.renew({ Version: 1, ...(await assumeRole(moto.url, '222222222222')) });
    // The SDK may use the old ones once more, while it gets those.
    await vi.waitFor(async () => expect(await connected.account?.(context)).toBe(`aws 222222222222 ${region} at ${proxy.url}`));
    // Nothing but the account tells this machine from one that has ended.
    expect(await connected.terminate(ids, context)).toEqual([{ id: machine?.id, gone: true }]);
    expect(asked()).toBe(2);
    expect((await connector.describe(ids, context)).get(ids[0] ?? '')?.state).toMatch(/pending|running/);
    await changing.renew({ Version: 1, ...key });
    await vi.waitFor(async () => expect(await connected.account?.(context)).toBe(ours));
    await end(ids);
  });

  test('the console is given as text, and that of an unknown machine is refused', async () => {
    const [machine] = await connector.launch(request(), context);
    const { text = '', next } = (await connector.consoleLog?.(machine?.id ?? '', 0, context)) ?? {};
    expect(text.length).toBeGreaterThan(10);
    expect(await connector.consoleLog?.(machine?.id ?? '', next ?? 0, context)).toEqual({ text: '', next });
    await expect(connector.consoleLog?.('i-00000000000000001', 0, context)).rejects.toMatchObject({ code: 'notFound' });
    await end([machine?.id ?? '']);
  });
});

test('a configuration that is wrong says where', () => {
  expect(() => connectorModule.createConnector({ region: 'Paris', sshFrom: ['anybody'] })).toThrow(/region[^]*sshFrom/);
});
