import { queryValue } from '@trunkline/protocol';
import type { HttpAnswer, HttpRequest } from '../ports/listener.ts';
import type { EdgeContext } from './edge-context.ts';

/**
 * The verdict on a client's request, as it is; a refusal is logged. What is said of its hub and
 * origin is what the client says.
 */
export function noted<T extends object>(
  context: EdgeContext,
  request: HttpRequest,
  verdict: T | HttpAnswer,
): T | HttpAnswer {
  if (!('status' in verdict) || verdict.why === undefined) return verdict;
  const { remoteAddress } = request;
  const hub = queryValue(request.query, 'hub');
  const origin = request.headers.get('origin');
  if (verdict.why === 'origin') {
    context.digest.info({ origin, hub }, 'origin refused', { remoteAddress });
  } else {
    context.digest.info({ reason: verdict.why, hub, origin }, 'client refused', { remoteAddress });
  }
  return verdict;
}
