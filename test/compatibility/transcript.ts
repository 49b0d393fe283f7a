import { expect } from 'vitest';
import type { TestNode } from '../support/recipes.ts';
import type { SystemRun } from '../support/system.ts';
import { filesOf } from '../support/tar.ts';

/** One line of a recipe, and what SlipStream's commands made of it. */
export interface Line {
  /** Read by sh. */
  run: string;
  /** The exit code. @default 0 */
  rc?: number;
  /** Standard output, whole. @default '' */
  out?: string | RegExp;
  /** Standard error, whole. @default '' */
  err?: string | RegExp;
  /** How long it took, in milliseconds: at least, at most. */
  ms?: readonly [number, number];
}

/** A node whose deploy script runs the lines one after the other and whose report brings home what came of each. */
export function nodeOf(lines: readonly Line[], rest: TestNode & { before?: string } = {}): TestNode {
  const { before = '', ...node } = rest;
  const steps = lines.map(
    ({ run }, index) =>
      `begin=$(date +%s%N)\n( ${run}\n) >"$d/${index}.out" 2>"$d/${index}.err"\necho $? >"$d/${index}.rc"\necho $(( ($(date +%s%N) - begin) / 1000000 )) >"$d/${index}.ms"`,
  );
  return {
    ...node,
    scripts: {
      deploy: `#!/bin/sh\n${before}\nd=$PWD/lines\nmkdir -p "$d"\n${steps.join('\n')}\n`,
      report: '#!/bin/sh\ncp -r lines "$SLIPSTREAM_REPORT_DIR/lines"\n',
      ...node.scripts,
    },
  };
}

/** What came of the lines, as a table to compare with {@link expected}. */
export async function transcriptOf(run: SystemRun, instance: string): Promise<(index: number) => Required<Omit<Line, 'run'>>> {
  const report = (await run.reports()).find((one) => one.instance === instance);
  const files = await filesOf(await run.report(report?.name ?? ''));
  const file = (name: string): string => files[`var_log_slipstream_client/lines/${name}`] ?? 'missing';
  return (index) => ({
    rc: Number(file(`${index}.rc`)),
    out: file(`${index}.out`),
    err: file(`${index}.err`),
    ms: [Number(file(`${index}.ms`)), Number(file(`${index}.ms`))],
  });
}

/** Compares what came of all lines with what should have; a difference shows the whole line. */
export async function expectTranscript(run: SystemRun, instance: string, lines: readonly Line[]): Promise<void> {
  const transcript = await transcriptOf(run, instance);
  const actual = lines.map((line, index) => ({ run: line.run, ...transcript(index) }));
  expect(actual).toEqual(
    lines.map(({ run: text, rc = 0, out = '', err = '', ms }) => ({
      run: text,
      rc,
      out: out instanceof RegExp ? expect.stringMatching(out) : out,
      err: err instanceof RegExp ? expect.stringMatching(err) : err,
      ms: ms === undefined ? expect.anything() : [expect.toSatisfy((took) => took >= ms[0]), expect.toSatisfy((took) => took <= ms[1])],
    })),
  );
}
