import { codeFrame } from './frame.ts';
import type { Range, SourceText } from './source-text.ts';

/** A problem in a file, for people (message, hint, frame) and for editors and annotations (the rest). */
export interface Diagnostic {
  /** Path of the file, relative to the project (or to the `base` that was asked for). */
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  endLine?: number;
  /** Column after the last character. */
  endColumn?: number;
  severity: 'error' | 'warning';
  message: string;
  /** What to do about it. */
  hint?: string;
  /** The source line with carets under the range; empty when the file has no text to show. */
  frame: string;
}

/** What is wrong, before it is known where. */
export interface Finding {
  message: string;
  hint?: string | undefined;
  severity?: 'error' | 'warning';
}

/** A finding at a range of a text. */
export function diagnose(source: SourceText, [start, end]: Range, finding: Finding): Diagnostic {
  const from = source.at(start);
  const to = source.at(Math.max(start, end));
  return {
    file: source.file,
    ...from,
    endLine: to.line,
    endColumn: to.column,
    severity: finding.severity ?? 'error',
    message: finding.message,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    frame: codeFrame(source.line(from.line), from, to),
  };
}

/** A finding about a file as a whole, such as one that is not there. */
export function diagnoseFile(file: string, finding: Finding): Diagnostic {
  return {
    file,
    line: 1,
    column: 1,
    severity: finding.severity ?? 'error',
    message: finding.message,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    frame: '',
  };
}

/** A diagnostic as people read it: place, message, frame, hint. */
export function formatDiagnostic({ file, line, column, severity, message, hint, frame }: Diagnostic): string {
  const lines = [`${file}:${line}:${column}: ${severity}: ${message}`];
  if (frame !== '') lines.push(frame);
  if (hint !== undefined) lines.push(`  ${hint}`);
  return lines.join('\n');
}

/** By file, then by place: the order in which people mend them. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))];
  return diagnostics.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column);
}
