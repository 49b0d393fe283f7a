import { isPacelineError } from '@paceline/model';
import { expect, it } from 'vitest';
import { checkServer, type ServerFacts } from './postgres-session.ts';

const good = { version: 150_004, encoding: 'UTF8', read_only: 'off' };

function refusalOf(facts: Partial<ServerFacts>): string {
  try {
    checkServer('paceline at db:5432', { ...good, ...facts });
    return 'none';
  } catch (error) {
    return isPacelineError(error) ? `${error.code}: ${error.message}. ${error.hint}` : String(error);
  }
}

it('takes a server that suits', () => {
  expect([good, { version: 180_001 }].map(refusalOf)).toEqual(['none', 'none']);
});

it('says why it refuses one that does not', () => {
  expect([{ version: 140_009 }, { version: 90_624 }, { encoding: 'SQL_ASCII' }, { read_only: 'on' }].map(refusalOf).join('\n'))
    .toMatchInlineSnapshot(`
    "PACELINE_STORE_FAILED: The database paceline at db:5432 is PostgreSQL 14, which is too old. Use PostgreSQL 15 or newer.
    PACELINE_STORE_FAILED: The database paceline at db:5432 is PostgreSQL 9, which is too old. Use PostgreSQL 15 or newer.
    PACELINE_STORE_FAILED: The database paceline at db:5432 keeps text as SQL_ASCII, which has no room for all characters. Create one with \`createdb --encoding=UTF8 --template=template0 NAME\`.
    PACELINE_STORE_FAILED: The database paceline at db:5432 is a read-only replica. Let the URL name the primary server."
  `);
});
