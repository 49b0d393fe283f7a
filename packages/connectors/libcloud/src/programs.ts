import { choiceProgram } from './programs/choice-program.ts';
import { cloudProgram } from './programs/cloud-program.ts';
import { driverProgram } from './programs/driver-program.ts';
import { failureProgram } from './programs/failure-program.ts';
import { marksProgram } from './programs/marks-program.ts';
import { protocolProgram } from './programs/protocol-program.ts';

/** Of Apache Libcloud: what the tests run with, and what we ask people to install. */
export const libcloudVersion = '3.9.1';

/** The side-car, whole: Python 3.10 or newer, for an environment that has Libcloud. */
export const sideCarProgram = [failureProgram, marksProgram, driverProgram, choiceProgram, cloudProgram, protocolProgram]
  .join('')
  .replace('@VERSION@', libcloudVersion);
