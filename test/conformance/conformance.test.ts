import { CHOICE } from './choice.ts';
import { defineRuns } from './define.ts';

/** Every pair of two factors of a run; `npm run test:conformance` runs all combinations. */
defineRuns([...CHOICE]);
