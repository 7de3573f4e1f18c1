import { mintClientToken, TokenTooLongError } from '@trunkline/tokens';
import type { HubRuntime } from '../hub-runtime.ts';
import { numberOf, textOf } from './parameters.ts';
import type { RestCall } from './rest-call.ts';
import type { RestContext } from './rest-context.ts';
import { invalid } from './rest-error.ts';

const DEFAULT_MINUTES = 60;

/** Signs in a client, for callers that have no key. */
export function generateToken(
  call: RestCall,
  hub: HubRuntime,
  { edge, publicUrl }: RestContext,
): void {
  const { request } = call;
  const minutes = numberOf(request, 'minutesToExpire', 1) ?? DEFAULT_MINUTES;
  try {
    const token = mintClientToken({
      key: edge.tokens.keys.first,
      audienceBase: `${publicUrl.of(request)}/`,
      hub: hub.name,
      userId: textOf(request, 'userId') || undefined,
      lifetimeSeconds: minutes * 60,
      now: Math.floor(edge.time.unixSeconds()),
    });
    call.succeedWith(JSON.stringify({ token }));
  } catch (error) {
    if (!(error instanceof TokenTooLongError)) throw error;
    throw invalid(error.message);
  }
}
