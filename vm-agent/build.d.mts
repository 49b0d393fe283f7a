export function buildAgent(outfile?: string): Promise<{ outfile: string; minified: number; gzip: number }>;
