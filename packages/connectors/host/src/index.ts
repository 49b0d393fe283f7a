/** What connectors whose machines are on this host have in common. */
export { lastLine, readConsole, wholeCharacters } from './console.ts';
export { flushDirectory, writeDurably } from './durable-file.ts';
export { checkAborted, hasCode, toConnectorError, unlessMissing, untouched } from './failure.ts';
export { plannedMachine, recordIntent, staleStages, type Intent } from './intent.ts';
export { filesNow } from './files-now.ts';
export { loopbackAddresses, type LoopbackAddress } from './loopback.ts';
export { printRecord, readRecordAs, recordFields, type RecordReading } from './machine-record.ts';
