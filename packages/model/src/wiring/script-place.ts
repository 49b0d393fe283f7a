import type { Script } from '../resolved/image.ts';
import { diagnose, type Diagnostic, type Finding } from '../source/diagnostic.ts';
import { codeFrame } from '../source/frame.ts';
import { type Range, sourceText } from '../source/source-text.ts';

/** A finding in a script; of a script that is written in its module file, the place there. */
export function diagnoseScript(script: Script, range: Range, finding: Finding): Diagnostic {
  const source = sourceText(script.path, script.text);
  const found = diagnose(source, range, finding);
  if (script.inline === undefined) return found;
  const { line, indent } = script.inline;
  const move = (position: { line: number; column: number }): { line: number; column: number } => ({
    line: position.line + line - 1,
    column: position.column + indent,
  });
  const [from, to] = [source.at(range[0]), source.at(range[1])];
  return {
    ...found,
    file: script.path.replace(/#\w+$/, ''),
    ...move(from),
    endLine: move(to).line,
    endColumn: move(to).column,
    frame: codeFrame(' '.repeat(indent) + source.line(from.line), move(from), move(to)),
  };
}

/** `apache/deploy.sh:3`, for sentences. */
export function placeOf(script: Script, range: Range): string {
  const { file, line } = diagnoseScript(script, range, { message: '' });
  return `${file}:${line}`;
}
