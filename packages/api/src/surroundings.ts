import * as z from 'zod';

/** What is in use on a cloud at this moment, by the runs that the asker may see. */
export const cloudView = z.object({ name: z.string(), runs: z.int(), machines: z.int() });
export type CloudView = z.infer<typeof cloudView>;

/** What a project has in use. `machineSeconds` is how long its present machines have been there, added up. */
export const usageView = z.object({ project: z.string(), runs: z.int(), machines: z.int(), machineSeconds: z.number() });
export type UsageView = z.infer<typeof usageView>;

export const usageReport = z.object({ clouds: z.array(cloudView), projects: z.array(usageView) });
export type UsageReport = z.infer<typeof usageReport>;
