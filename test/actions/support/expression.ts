import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** Works out the expressions in a text of a workflow, by GitHub's own parser of them. */
export function workedOut(text: string, context: Readonly<Record<string, unknown>>): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => {
    const tokens = new Lexer(expression).lex().tokens;
    const parsed = new Parser(tokens, Object.keys(context), []).parse();
    const known = JSON.parse(JSON.stringify(context), data.reviver) as data.Dictionary;
    return new Evaluator(parsed, known).evaluate().coerceString();
  });
}
