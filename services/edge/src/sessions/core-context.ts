import type { HeldPosts } from './client/http/held-posts.ts';
import type { ClientContext } from './client/client-context.ts';
import type { ClientResults } from './server/client-results.ts';
import type { ServerContext } from './server/server-context.ts';
import type { Serverless } from './upstream/serverless.ts';

/** Everything that the sessions of an edge share, as those see it who make it and look after it. */
export interface CoreContext extends ClientContext, ServerContext {
  readonly results: ClientResults;
  readonly heldPosts: HeldPosts;
  readonly serverless: Serverless;
}
