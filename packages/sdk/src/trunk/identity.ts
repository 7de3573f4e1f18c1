import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { VERSION } from '../version.ts';

/** Of a machine's name; the edge cuts server ids at 256 characters. */
const MACHINE_LENGTH = 64;
/** For a machine whose name has no character that can stay. */
const NAMELESS = 'machine';

/** One per process (service protocol reference, section 2). */
export const SERVER_ID = serverId(machine());

export const USER_AGENT = `trunkline-sdk/${VERSION} (Node ${process.version}; ${process.platform})`;

/**
 * The headers of a request to a service. Values are made such that HTTP can carry them, whatever they
 * were made of: each character that is not printable ASCII is a `?`.
 */
export function serviceHeaders(
  token: string,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers = { 'Asrs-User-Agent': USER_AGENT, ...more, Authorization: `Bearer ${token}` };
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace(/[^ -~]/gu, '?')]),
  );
}

/**
 * A machine's name and a guid, as the .NET package has it. The name may be in any script, while the
 * id goes into headers, and into lists that `;` and `:` divide: letters lose their accents, and what
 * is no ASCII letter, digit, `.` or `-` then becomes a `-`.
 */
function serverId(machineName: string): string {
  const plain = machineName.normalize('NFKD').replace(/\p{M}+/gu, '');
  const name = plain.replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^-+/, '');
  const short = name.slice(0, MACHINE_LENGTH).replace(/-+$/, '');
  return `${short || NAMELESS}_${randomUUID().replaceAll('-', '')}`;
}

/** Empty where the system does not tell. */
function machine(): string {
  try {
    return hostname();
  } catch {
    return '';
  }
}
