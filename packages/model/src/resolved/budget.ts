import * as z from 'zod';

const amount = z.number().positive().max(1e9);

/** The most that a run may cost, by the prices that its clouds tell. */
export const budget = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters')
      .meta({ examples: ['EUR'] })
      .describe('Machines whose price is in another currency are of unknown price.'),
    perHour: amount.optional().describe('All of its machines together, for an hour.'),
    total: amount.optional().describe('In all, until the end of its lifetime.'),
    knownPrices: z.boolean().optional().describe('Machines of unknown price are refused. When left out they are allowed, and not counted.'),
  })
  .refine(({ perHour, total, knownPrices }) => perHour !== undefined || total !== undefined || knownPrices === true, {
    error: 'must have `perHour`, `total` or `knownPrices`',
  })
  .describe('The most that a run may cost.');
export type Budget = z.infer<typeof budget>;
