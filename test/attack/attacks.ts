import { APP_SERVER_ATTACKS } from './app-servers.ts';
import type { Attack } from './attack.ts';
import { MESSAGE_ATTACKS } from './messages.ts';
import { REQUEST_ATTACKS } from './requests.ts';

/** With nobody attacking: what the figures of the others are to be held against. */
const quiet: Attack = {
  name: 'quiet',
  what: 'none',
  served: false,
  prepare: async () => async () => {},
};

/** In the order of the table. */
export const ATTACKS: readonly Attack[] = [
  quiet,
  ...REQUEST_ATTACKS,
  ...MESSAGE_ATTACKS,
  ...APP_SERVER_ATTACKS,
];
