import { lendRequire } from './lend-require.ts';

/** To be called once jsonwebtoken has been loaded. */
export const giveBack = lendRequire();
