import { Document, Scalar, visit } from 'yaml';

/** A module file as people would write it. */
export function moduleYaml(content: object): string {
  const document = new Document(content);
  visit(document, {
    Scalar(_key, node) {
      // As a block, text that begins or ends with white space does not come back as it was.
      if (typeof node.value === 'string' && node.value.includes('\n') && node.value !== node.value.trim()) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 });
}
