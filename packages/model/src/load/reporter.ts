import { diagnose, type Diagnostic, type Finding } from '../source/diagnostic.ts';
import type { Path, YamlDocument } from '../source/yaml-document.ts';

/** Reports what is wrong with the value (or, with `'key'`, the key) at a path of a document. */
export type Reporter = (path: Path, finding: Finding, at?: 'key' | 'value') => void;

export function reporter(yaml: YamlDocument, problems: Diagnostic[]): Reporter {
  return (path, finding, at = 'value') => {
    const range = at === 'key' ? yaml.rangeOfKey(path) : yaml.rangeOf(path);
    problems.push(diagnose(yaml.source, range, finding));
  };
}
