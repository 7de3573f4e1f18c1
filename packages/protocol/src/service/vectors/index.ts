import { AUTH_REFRESH_VECTORS } from './auth-refresh.ts';
import { CLIENT_CONNECTION_VECTORS } from './client-connections.ts';
import { COMMAND_VECTORS } from './commands.ts';
import { SEND_VECTORS } from './sends.ts';
import { SERVER_CONNECTION_VECTORS } from './server-connections.ts';
import type { Vector } from './vector.ts';

export type { Vector } from './vector.ts';
export { vectorBytes } from './vector.ts';
export { OTHER_FORMS } from './other-forms.ts';

/** Golden frames: reading one gives its message, and writing the message gives these very bytes. */
export const VECTORS: readonly Vector[] = [
  ...SERVER_CONNECTION_VECTORS,
  ...CLIENT_CONNECTION_VECTORS,
  ...SEND_VECTORS,
  ...COMMAND_VECTORS,
  ...AUTH_REFRESH_VECTORS,
];
