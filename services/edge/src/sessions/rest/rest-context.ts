import type { Random } from '../../ports/random.ts';
import type { CoreContext } from '../core-context.ts';
import type { PublicUrl } from './public-url.ts';

/** What REST calls need. */
export interface RestContext {
  readonly edge: CoreContext;
  readonly random: Random;
  readonly publicUrl: PublicUrl;
}
