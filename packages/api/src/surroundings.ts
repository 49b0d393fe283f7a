import * as z from 'zod';

/** What is in use on a cloud at this moment, by the runs that the asker may see. */
export const cloudView = z.object({ name: z.string(), runs: z.int(), machines: z.int() });
export type CloudView = z.infer<typeof cloudView>;

/** What the account may have at once, and has. */
const limit = z.object({ used: z.number(), max: z.number().nullable().describe('Null where there is no limit') }).optional();

/** What can be said of a cloud now, by asking it. */
export const cloudSurvey = z.object({
  name: z.string(),
  connector: z.string(),
  reach: z.enum(['direct', 'host', 'tunnel']).optional().describe('Left out for a cloud that could not be opened'),
  account: z.object({ account: z.string(), regions: z.array(z.string()) }).optional(),
  quota: z.object({ machines: limit, cpus: limit, memoryMiB: limit }).optional(),
  offers: z
    .array(
      z.object({
        name: z.string(),
        cpus: z.number(),
        memoryMiB: z.number(),
        diskGiB: z.number().optional(),
        price: z.object({ amount: z.number(), currency: z.string() }).nullable().describe('For an hour; null when it is not known'),
      }),
    )
    .optional(),
  failure: z
    .object({ code: z.string(), message: z.string(), hint: z.string().optional() })
    .optional()
    .describe('Why the rest is missing, or says nothing of machines that there are'),
});
export type CloudSurvey = z.infer<typeof cloudSurvey>;
export const cloudSurveys = z.object({ clouds: z.array(cloudSurvey) });

/** What a project has in use. `machineSeconds` is how long its present machines have been there, added up. */
export const usageView = z.object({ project: z.string(), runs: z.int(), machines: z.int(), machineSeconds: z.number() });
export type UsageView = z.infer<typeof usageView>;

export const usageReport = z.object({ clouds: z.array(cloudView), projects: z.array(usageView) });
export type UsageReport = z.infer<typeof usageReport>;
