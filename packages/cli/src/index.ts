/** The command line as a value: its documents are compared with it. */
export { program } from './program.ts';
