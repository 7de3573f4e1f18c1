import { lendRequire } from '@trunkline/tokens';

/** To be called once ws has been loaded. */
export const giveBack = lendRequire();
