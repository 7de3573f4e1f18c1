import { giveBack } from './require-for-ws.ts';
// Behind what lends it `require`: see `lendRequire`.
import { WebSocket } from 'ws';

giveBack();

export { WebSocket };
