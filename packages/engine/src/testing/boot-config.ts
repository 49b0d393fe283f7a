import { createHmac } from 'node:crypto';
import { readRanges } from '../connector/ranges.ts';

/**
 * What a machine learns of itself from its user data, as the setup script does.
 * @param place among those that were launched with it, where they have their user data in common
 */
export function bootConfig(userData: string, place = 0): { run: string; instance: string; secret: string } {
  const config = JSON.parse(`{${/'("url".*)'/.exec(userData)?.[1] ?? ''}}`) as { run: string; instance: string; secret: string };
  const [, launchSecret, node, ranges = ''] = /^launch='\S+ (\S+) (\S+) (.+)'$/m.exec(userData) ?? [];
  if (launchSecret === undefined) return config;
  const instance = `${node}.${readRanges(ranges)?.[place]}`;
  return { ...config, instance, secret: createHmac('sha256', launchSecret).update(instance).digest('base64url') };
}
